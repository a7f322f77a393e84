//! The `neuronotes` command.

fn main() {}
