//! Messages between the programs, records of the store, and files of labels: JSON that is read and written back unchanged.

use neuronotes_core::canonical::canonical_json;
use neuronotes_core::labelling::{Answers, Sheet};
use neuronotes_core::protocol::{Command, Event};
use neuronotes_core::store::Record;

pub const RECORD_WORDS: &[&str] = &[
    "\"schema\":",
    "\"key\":",
    "\"kind\":",
    "\"impl_version\":",
    "\"request\":",
    "\"outputs\":",
    "\"provenance\":",
    "\"result\"",
    "\"digest\"",
    "\"bytes\"",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "true",
    "1e309",
    "-0.0",
    "18446744073709551616",
    "\\u0000",
    "\\ud800",
    "0123456789abcdef",
    "\n",
    " ",
];

pub fn record(input: &[u8]) {
    let Ok(record) = Record::read(input) else { return };
    let bytes = record.bytes();
    let again = Record::read(&bytes).expect("a record is read as it was written");
    assert_eq!(again.bytes(), bytes);
    assert_eq!(again.key, record.key);
    let _ = record.uses().count();
    // A flipped bit is noticed, wherever it is.
    let at = input.len() * 31 % bytes.len();
    let mut turned = bytes.clone();
    turned[at] ^= 1 << (input.len() % 8);
    if let Ok(read) = Record::read(&turned) {
        assert_eq!(read.bytes(), bytes, "a turned bit at {at} gives another record");
    }
}

pub const PROTOCOL_WORDS: &[&str] = &[
    "{\"type\":\"run\",",
    "\"type\":\"order\"",
    "\"type\":\"cancel\"",
    "\"type\":\"ready\"",
    "\"type\":\"progress\"",
    "\"type\":\"failed\"",
    "\"type\":\"done\"",
    "\"request\":",
    "\"halve\":true",
    "\"groups\":[[",
    "\"key\":\"",
    "\"message\":\"",
    "\"hint\":null",
    "\"cause\":\"resource\"",
    "\"seconds\":",
    "\"seconds_left\":",
    "\"step\":",
    "\"total\":",
    "\"unit\":\"",
    "\"picture\":\"",
    "\"params\":{",
    "\"model\":{",
    "\"dataset\":null",
    "\"shards\":[",
    "\"uses\":[",
    "\"precision\":\"bf16\"",
    "\"conventions\":",
    "1e400",
    "-0.0",
    "1e-320",
    "0.1",
    "\\u0000",
    "\\ud83d\\udc16",
    "}",
    "]",
    ",",
    "[",
    "{",
    "\"",
];

pub fn protocol(input: &[u8]) {
    if let Ok(event) = serde_json::from_slice::<Event>(input) {
        let line = serde_json::to_string(&event).expect("an event is plain data");
        assert!(!line.contains('\n'), "an event is one line: {line}");
        let read: Event = serde_json::from_str(&line).expect("an event is read as it was written");
        assert_eq!(read, event, "{line}");
    }
    if let Ok(command) = serde_json::from_slice::<Command>(input) {
        let line = serde_json::to_string(&command).expect("a command is plain data");
        assert!(!line.contains('\n'), "a command is one line: {line}");
        let read: Command =
            serde_json::from_str(&line).expect("a command is read as it was written");
        assert_eq!(read, command, "{line}");
        if let (Command::Run { request, .. }, Command::Run { request: again, .. }) =
            (&command, &read)
        {
            assert_eq!(request.key(), again.key(), "{line}");
            let former = request.former();
            assert!(
                former.is_none_or(|former| former.key() != request.key()),
                "a former key that is the key"
            );
        }
    }
    if let Ok(value) = serde_json::from_slice::<serde_json::Value>(input) {
        let text = canonical_json(&value);
        let read: serde_json::Value = serde_json::from_str(&text).expect("canonical JSON is JSON");
        assert_eq!(canonical_json(&read), text, "canonical JSON is its own form");
    }
}

pub const LABEL_WORDS: &[&str] = &[
    "\"format\": \"neuronotes labels 1\"",
    "\"sheet\":",
    "\"rater\":",
    "\"categories\":",
    "\"labels\":",
    "\"skipped\":",
    "\"images\":",
    "\"heart\"",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\n",
    "\\u0000",
];

pub fn labels(input: &[u8]) {
    if let Ok(answers) = Answers::read(input) {
        let again = serde_json::to_vec(&answers).expect("JSON");
        assert_eq!(Answers::read(&again), Ok(answers), "answers are read as they were written");
    }
    if let Ok(sheet) = serde_json::from_slice::<Sheet>(input) {
        let again = serde_json::to_vec(&sheet).expect("JSON");
        assert_eq!(serde_json::from_slice::<Sheet>(&again).expect("a sheet"), sheet);
    }
}
