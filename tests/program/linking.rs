//! `neuronotes` starts in milliseconds and publishes on machines without libtorch, because it does not link it: here is
//! looked at what the program itself asks the system's loader for.

use std::error::Error;
use std::fs;

use object::{File, Object};

#[test]
fn neuronotes_needs_no_libtorch() -> Result<(), Box<dyn Error>> {
    let bytes = fs::read(env!("CARGO_BIN_EXE_neuronotes"))?;
    let program = File::parse(&*bytes)?;
    let mut needed = Vec::new();
    for library in program.import_libraries()? {
        needed.push(String::from_utf8_lossy(library?.name()).into_owned());
    }
    // Every program needs the system's C library; a list without it was not read rightly.
    assert!(
        needed.iter().any(|name| name.starts_with("libc.") || name.contains("libSystem")),
        "{needed:?}"
    );
    let foreign: Vec<&String> = needed
        .iter()
        .filter(|name| ["torch", "c10", "cuda", "gomp"].iter().any(|part| name.contains(part)))
        .collect();
    assert!(foreign.is_empty(), "neuronotes is linked with {foreign:?}");
    Ok(())
}
