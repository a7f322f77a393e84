//! The program `neuronotes-emoji`: see `--help`.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use neuronotes_emoji::cli::Arguments;
use neuronotes_emoji::failure::report;
use neuronotes_emoji::make::{Places, make};
use neuronotes_emoji::packages::{Npm, Packages, recorded};

fn main() -> ExitCode {
    match perform(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{}", report(&error));
            ExitCode::FAILURE
        }
    }
}

fn perform(Arguments { repository, folder }: Arguments) -> Result<()> {
    let folder = folder.unwrap_or_else(|| repository.join("target/emoji"));
    let npm = Npm::default();
    let packages = Packages::new(folder.join("packages"), &npm)?;
    let places = Places {
        font: repository.join("core/fonts/DejaVuSans-Bold.ttf"),
        train: folder,
        data: repository.join("data"),
    };
    print!("{}", make(&recorded()?, &packages, &places)?);
    Ok(())
}
