//! What is wrong with a Parquet file, and what to do about it.

use std::panic::{self, AssertUnwindSafe};

use crate::dataset::listing::Malformed;

/// How to write a file again so that it can be read, for hints.
pub const REWRITE: &str = "pyarrow writes it again: \
    `pq.write_table(pq.read_table(\"old.parquet\"), \"new.parquet\", compression=\"zstd\", row_group_size=256)`";

/// The message of an error of the Parquet reader.
pub fn damaged(error: impl std::fmt::Display) -> Malformed {
    let said = error.to_string();
    let said = said.strip_prefix("Parquet error: ").unwrap_or(&said);
    Malformed::Form(format!("damaged: {}", said.chars().take(300).collect::<String>()))
}

/// Runs what reads a file. A damaged one may make the reader of Parquet panic, and is then an error like any other.
pub fn guarded<T>(read: impl FnOnce() -> Result<T, Malformed>) -> Result<T, Malformed> {
    let read = panic::catch_unwind(AssertUnwindSafe(read));
    read.unwrap_or_else(|_| Err(damaged("its reader crashed")))
}

/// That a file can be read after it was written in another way.
pub fn rewritten(why: String) -> Malformed {
    Malformed::Hinted { why, hint: REWRITE.to_owned() }
}
