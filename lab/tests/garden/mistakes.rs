//! Bad weights, bad data: an error or a warning about that thing only, and the rest of the garden goes on.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use super::common::{Garden, program, repository};
use super::{LAYER, garden, vis};

/// Pickles and archives that nobody should open elsewhere; see `tests/program/formats.rs` for what each is refused for.
fn weights(garden: &Garden) -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let real = repository().join("lab/tests/golden/clip_vit/torchscript.pt");
    let mut cut = fs::read(real).expect("an archive");
    cut.truncate(cut.len() / 2);
    let unsaid = fs::read(repository().join("lab/tests/golden/clip_vit/weights.safetensors"));
    let other = br#"{"conv1.weight":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
    let mut resnet18 = (other.len() as u64).to_le_bytes().to_vec();
    resnet18.extend_from_slice(other);
    resnet18.extend_from_slice(&[0; 4]);
    garden.write("models/nothing", "");
    vec![
        ("cut.pt", cut, "not a complete zip archive"),
        (
            "code.pt",
            stored("w/data.pkl", b"\x80\x02cos\nsystem\nX\x02\0\0\0ls\x85R."),
            "asks for Python's `os.system`",
        ),
        ("bomb.pt", bomb(), "`w/data.pkl` is compressed"),
        ("notes.pt", b"These are my notes about the model.".to_vec(), "is not a weights file"),
        ("resnet18.safetensors", resnet18, "are not a CLIP's weights"),
        ("unsaid.safetensors", unsaid.expect("weights"), "GELU or QuickGELU"),
    ]
}

/// A zip archive of one entry, stored as it is.
fn stored(name: &str, data: &[u8]) -> Vec<u8> {
    archive(name, data, 0, data.len() as u32)
}

/// A zip archive whose entry says that it unpacks to 4 GiB.
fn bomb() -> Vec<u8> {
    archive("w/data.pkl", &[0; 64], 8, u32::MAX - 1)
}

fn archive(name: &str, data: &[u8], method: u16, unpacked: u32) -> Vec<u8> {
    let crc = !data.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    });
    let mut common = vec![20, 0, 0, 0];
    common.extend(method.to_le_bytes());
    common.extend([0; 4]);
    for number in [crc, data.len() as u32, unpacked] {
        common.extend(number.to_le_bytes());
    }
    common.extend((name.len() as u16).to_le_bytes());
    let mut file = b"PK\x03\x04".to_vec();
    file.extend(&common);
    file.extend([0; 2]);
    file.extend(name.as_bytes());
    file.extend(data);
    let directory = file.len() as u32;
    file.extend(b"PK\x01\x02\x14\0");
    file.extend(&common);
    file.extend([0; 16]);
    file.extend(name.as_bytes());
    let length = file.len() as u32 - directory;
    file.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    file.extend(length.to_le_bytes());
    file.extend(directory.to_le_bytes());
    file.extend([0; 2]);
    file
}

/// `neuronotes check` within a second or so and a gigabyte of address space.
fn checked(root: &Path) -> String {
    let begun = Instant::now();
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -v 1048576; exec \"$0\" check --root \"$1\""]);
    let run = command.arg(program()).arg(root).output().expect("sh runs");
    assert_eq!(run.status.code(), Some(1));
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    String::from_utf8_lossy(&run.stderr).into_owned()
}

#[test]
fn each_bad_weights_file_is_an_error_at_its_block_and_the_others_are_measured() {
    let garden = garden();
    let config = garden.read("neuronotes.yaml");
    let mut models = String::from("models:\n");
    let mut note = format!("Text.\n\n{}", vis(3, 2));
    let bad = weights(&garden);
    for (name, bytes, _) in &bad {
        fs::write(garden.path(&format!("models/{name}")), bytes).expect("written");
        models += &format!("  {name}: {{ path: models/{name} }}\n");
        note += &format!(
            "```yaml analysis\nkind: feature_vis\nmodel: {name}\nlayer: {LAYER}\nunit: 1\n```\n\n"
        );
    }
    // The right file, and a digest of another one.
    let emoji = repository().join("models/emoji-clip.safetensors");
    let zeros = "0a".repeat(32);
    models += &format!("  wrong: {{ path: {}, sha256: {zeros} }}\n", emoji.display());
    note +=
        "```yaml analysis\nkind: feature_vis\nmodel: wrong\nlayer: visual.layer4.0\nunit: 1\n```\n";
    garden.write("neuronotes.yaml", &config.replace("models:\n", &models));
    garden.note("a.md", &note);

    let errors = checked(garden.root());
    for (name, _, why) in &bad {
        let about = errors.split("error").find(|error| error.contains(&format!("`{name}`")));
        let about = about.unwrap_or_else(|| panic!("nothing about {name}: {errors}"));
        assert!(about.contains(why), "{name}: {about}");
    }
    assert!(errors.contains(&zeros) && errors.contains("sha"), "{errors}");
    assert!(errors.contains("activation: quick_gelu"), "the hint: {errors}");

    let built = garden.build();
    assert_eq!(built.code(), 1);
    assert!(built.summary().contains("1 figure measured"), "{}", built.stderr());
    let page = garden.page("a.html");
    assert!(page.contains("among the 1 tensors"), "{page}");
}

#[test]
fn pictures_that_cannot_be_read_are_named_and_left_out() {
    let garden = garden();
    garden.write("data/letter.png", "Dear reader, this is no picture.");
    // A PNG's header that claims 60,000 x 60,000 pixels.
    let mut huge =
        b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\xea\x60\0\0\xea\x60\x08\x02\0\0\0".to_vec();
    huge.extend([0; 16]);
    fs::write(garden.path("data/huge.png"), huge).expect("written");
    image::RgbImage::from_pixel(1, 1, image::Rgb([9, 200, 9]))
        .save(garden.path("data/dot.png"))
        .expect("a dot");
    let block = super::block("dataset_examples", 3, "top: 9\n");
    garden.note("a.md", &block);
    let built = garden.built();
    let said = built.stderr();
    assert!(said.contains("2 images of the data set cannot be read"), "{said}");
    assert!(said.contains("huge (") && said.contains("letter (it is not a PNG"), "{said}");
    assert!(said.contains("a.md:1:1"), "{said}");
    let page = garden.page("a.html");
    assert!(page.contains("<dt>skipped</dt>") && page.contains("of 6 images"), "{page}");
    // Nothing is measured again, and it is still said.
    let again = garden.run(&["build", "--strict"]);
    assert_eq!(again.code(), 1);
    assert!(
        again.stderr().contains("2 images of the data set cannot be read"),
        "{}",
        again.stderr()
    );
}

/// A garden with eight pictures in two folders, which are their labels, and one in none.
fn in_folders() -> Garden {
    let garden = garden();
    for at in 0..9u8 {
        let folder = ["cat/", "dog/", ""][usize::from(at / 4)];
        let path = garden.path(&format!("pets/{folder}{at}.png"));
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        let colour = image::Rgb([at * 25, 255 - at * 20, (at % 3) * 80]);
        image::RgbImage::from_pixel(64, 64, colour).save(path).expect("a picture");
        garden.write(&format!("pets/{folder}{at}.txt"), folder.trim_end_matches('/'));
    }
    let config = garden.read("neuronotes.yaml");
    let pets = "datasets:\n  pets: { path: pets, labels: folders }\n";
    garden.write("neuronotes.yaml", &config.replace("datasets:\n", pets));
    garden
}

/// A probe of these pictures.
fn pets(more: &str) -> String {
    format!("```yaml analysis\nid: pets\nkind: probe\nlayer: {LAYER}\ndataset: pets\n{more}```\n\n")
}

#[test]
fn a_split_that_leaves_a_class_empty_is_an_error_at_the_block_that_says_what_to_do() {
    let garden = in_folders();
    // All pictures of a label have one caption, and stay together.
    garden.note("a.md", &pets("group_by: caption\n"));
    let run = garden.build();
    assert_eq!(run.code(), 1);
    let said = run.stderr();
    assert!(said.contains("a.md:1:1"), "{said}");
    assert!(said.contains("the split leaves no image of the class"), "{said}");
    assert!(
        said.contains("add `stratify: true`, or try another `seed` or a smaller `held_out`"),
        "{said}"
    );
}

#[test]
fn images_without_a_label_are_left_out_of_a_probe_and_counted() {
    let garden = in_folders();
    garden.note("a.md", &format!("{}`= pets.unlabelled` have none.\n", pets("held_out: 0.5\n")));
    let run = garden.build();
    assert_eq!(run.code(), 0, "{}", run.stderr());
    let page = garden.page("a.html");
    assert!(page.contains("1 image has no label") && page.contains(">1</"), "{page}");
}
