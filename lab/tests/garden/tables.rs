//! Data sets in tables: the same pictures in a folder, in CSV and in Parquet.

use std::fs;
use std::path::Path;

use super::common::Garden;
use super::measure::stored;
use super::{block, garden};

/// A garden whose pictures are also in `pets.csv` and in `pets.parquet`, which pyarrow wrote.
fn tables(csv: &str) -> Garden {
    let garden = garden();
    let golden =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/tables/hugging.parquet");
    fs::copy(golden, garden.path("pets.parquet")).expect("a copy");
    garden.write("pets.csv", csv);
    let config = garden.read("neuronotes.yaml");
    let more = "datasets:\n  csv: { path: pets.csv, columns: { path: file, label: sort } }\n  \
                parquet: { path: pets.parquet }\n";
    garden.write("neuronotes.yaml", &config.replace("datasets:\n", more));
    garden
}

const ROWS: &str = "file,text,sort\ndata/red.png,\"red, as fire\",warm\ndata/blue.png,blue,cold\n\
                    data/none.png,nothing,cold\n";

fn note(garden: &Garden) {
    let examples = |name: &str| {
        block("dataset_examples", 3, &format!("id: {name}\ndataset: {name}\ntop: 9\n"))
    };
    let probe =
        "```yaml analysis\nkind: zero_shot\ndataset: parquet\nclasses: [cat, dog, hen]\n```\n";
    garden.note("a.md", &format!("{}{}{probe}", examples("csv"), examples("parquet")));
}

#[test]
fn pictures_in_tables_are_measured_and_what_is_said_of_them_costs_no_pass() {
    let garden = tables(ROWS);
    note(&garden);
    let run = garden.built();
    let page = garden.page("a.html");
    for wanted in [
        "of 2 images",
        "red, as fire",
        "<dt>pictures</dt><dd>2 of 2 read, in 3 entries; 2 with a caption, 2 with a label</dd>",
        "<dt>skipped</dt><dd>1 picture skipped: there is no such file (data/none.png)</dd>",
        "of 6 images",
        "another cat",
        "the cell with the picture is empty (row 2)",
    ] {
        assert!(page.contains(wanted), "{wanted}\n{page}");
    }
    let said = run.stderr();
    assert!(said.contains("data set `csv`: 1 picture skipped: there is no such file"), "{said}");
    let scans = stored(&garden)["scan"];
    // Other labels and captions, another column, and a row that is not read.
    garden.write("pets.csv", &ROWS.replace("as fire", "as blood").replace("none", "nil"));
    let config = garden.read("neuronotes.yaml");
    let other = config.replace("label: sort", "label: sort, caption: text");
    garden.write(
        "neuronotes.yaml",
        &other.replace("pets.parquet", "pets.parquet, columns: { label: caption }"),
    );
    assert!(garden.built().summary().contains("3 figures measured"));
    assert_eq!(stored(&garden)["scan"], scans);
    assert!(garden.page("a.html").contains("red, as blood"));
    // A picture more.
    garden.write("pets.csv", &format!("{ROWS}data/green.png,green,cold\n"));
    garden.built();
    assert_eq!(stored(&garden)["scan"], scans + 1);
    assert!(garden.page("a.html").contains("of 3 images"));
    // Another picture in a file that the table names.
    fs::copy(garden.path("data/white.png"), garden.path("data/red.png")).expect("a copy");
    garden.built();
    assert_eq!(stored(&garden)["scan"], scans + 2);
    assert_eq!(garden.output(), garden.clean_output());
}

#[test]
fn a_table_that_cannot_be_read_is_an_error_at_its_blocks_before_anything_is_measured() {
    let garden = tables("name,text,sort\ndata/red.png,red,warm\n");
    note(&garden);
    let run = garden.run(&["check"]);
    assert_eq!(run.code(), 1);
    let said = run.stderr();
    for wanted in [
        "pets.csv cannot be read as a CSV table",
        "it has no column `file`; its columns are `name`, `text` and `sort`",
        "notes/a.md:6:10",
    ] {
        assert!(said.contains(wanted), "{wanted}\n{said}");
    }
    assert!(said.contains("1 error, 1 warning"), "what is wrong with one is of no other: {said}");
    let told = garden.run(&["dataset", "info", "parquet"]).stdout();
    for wanted in [
        "format     Parquet table: a picture per row",
        "columns    caption: `caption`, image: `image`, label: `label`",
        "pictures   6",
        "captions   5",
        "labels     4, 3 different: cat (2), dog (1), hen (1)",
        "1 picture skipped: the cell with the picture is empty (row 2)",
    ] {
        assert!(told.contains(wanted), "{wanted}\n{told}");
    }
    let list = garden.run(&["dataset", "list"]).stdout();
    assert!(list.contains("no column `file`") && list.contains("6 pictures"), "{list}");
    let info = garden.run(&["dataset", "info", "csv"]);
    assert!(info.code() != 0 && info.stderr().contains("no column `file`"), "{}", info.stderr());
    // What the configuration says must suit the format.
    let config = garden.read("neuronotes.yaml");
    let data = config.lines().find(|line| line.contains(" data")).expect("the data set");
    let wrong = "  emoji: { path: data, columns: { label: x } }";
    garden.write("neuronotes.yaml", &config.replace(data, wrong));
    garden.note("a.md", &block("dataset_examples", 3, "dataset: emoji\n"));
    let said = garden.run(&["check"]).stderr();
    assert!(said.contains("is a folder of pictures, for which `columns` has no meaning"), "{said}");
}
