//! Set-up and developers commands.
fn main() {}
