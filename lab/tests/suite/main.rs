//! Tests of the lab from outside: against golden data, through sessions, and through its binary.

mod attribution;
mod bombs;
mod clip;
mod controls;
mod dictionary;
mod examples;
mod export;
mod golden;
mod hook;
mod intervene;
mod lines;
mod lots;
mod pieces;
mod protocol;
mod requests;
mod schedule;
mod spoiled;
mod steady;
mod support;
mod text_span;
mod texts;
mod threads;
mod train;
mod versions;
mod vis;
mod words;
