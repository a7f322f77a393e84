//! Coverage-guided search: libFuzzer in this process, with one target.
//!
//! `neuronotes-fuzz TARGET STATE [libFuzzer's arguments]`. STATE is a file that always contains the number of
//! executions and the current input, as [`State`] lays them out, so that both survive any end of the process.

use std::ffi::{CString, OsString, c_char, c_int};
use std::fs::File;
use std::process::ExitCode;
use std::ptr;
use std::sync::{Mutex, OnceLock, PoisonError};

use libfuzzer_sys as _;
use memmap2::MmapMut;
use neuronotes_fuzz::Target;

unsafe extern "C" {
    /// libFuzzer itself.
    fn LLVMFuzzerRunDriver(
        count: *mut c_int,
        arguments: *mut *mut *mut c_char,
        execute: extern "C" fn(*const u8, usize) -> c_int,
    ) -> c_int;
}

/// What `libfuzzer_sys` calls in place of its own `main`, which this program does not use.
#[expect(improper_ctypes_definitions, reason = "it is called from Rust")]
#[unsafe(no_mangle)]
extern "C" fn rust_fuzzer_test_input(input: &[u8]) -> i32 {
    execute(input.as_ptr(), input.len())
}

/// Executions (8 bytes, little-endian), the length of the input (8 bytes), and the input.
struct State(MmapMut);

impl State {
    /// Larger than any input that is tried.
    const BYTES: u64 = 1 << 20;

    fn open(path: &OsString) -> std::io::Result<Self> {
        let file = File::options().read(true).write(true).create(true).truncate(true).open(path)?;
        file.set_len(Self::BYTES)?;
        // SAFETY: nothing but this process writes the file, and it is as long as it ever is.
        unsafe { MmapMut::map_mut(&file) }.map(Self)
    }

    fn begin(&mut self, input: &[u8]) {
        let count = u64::from_le_bytes(self.0[..8].try_into().unwrap_or_default()) + 1;
        let length = input.len().min(self.0.len() - 16);
        self.0[..8].copy_from_slice(&count.to_le_bytes());
        self.0[8..16].copy_from_slice(&(length as u64).to_le_bytes());
        self.0[16..16 + length].copy_from_slice(&input[..length]);
    }
}

static CHOSEN: OnceLock<(&'static Target, Mutex<State>)> = OnceLock::new();

extern "C" fn execute(data: *const u8, size: usize) -> c_int {
    let Some((target, state)) = CHOSEN.get() else { return 0 };
    let input = match size {
        0 => &[],
        // SAFETY: libFuzzer passes `size` bytes and does not change them meanwhile.
        _ => unsafe { std::slice::from_raw_parts(data, size) },
    };
    state.lock().unwrap_or_else(PoisonError::into_inner).begin(input);
    if let Err(wrong) = target.run(input) {
        eprintln!("FOUND {}: {wrong}", target.name);
        // libFuzzer keeps the input.
        std::process::abort();
    }
    0
}

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let [program, name, state, others @ ..] = arguments.as_slice() else {
        eprintln!("usage: neuronotes-fuzz TARGET STATE [libFuzzer's arguments]");
        return ExitCode::from(2);
    };
    let Some(target) = name.to_str().and_then(Target::named) else {
        eprintln!("unknown target {name:?}");
        return ExitCode::from(2);
    };
    let opened = State::open(state);
    let state = match opened {
        Ok(state) => state,
        Err(error) => {
            eprintln!("{} cannot be written ({error})", state.display());
            return ExitCode::FAILURE;
        }
    };
    let dictionary =
        std::env::temp_dir().join(format!("neuronotes-fuzz-{}.dict", std::process::id()));
    if let Err(error) = std::fs::write(&dictionary, words(target)) {
        eprintln!("{} cannot be written ({error})", dictionary.display());
        return ExitCode::FAILURE;
    }
    let _ = CHOSEN.set((target, Mutex::new(state)));
    let mut given = vec![program.clone(), format!("-dict={}", dictionary.display()).into()];
    given.extend_from_slice(others);
    let given: Vec<CString> =
        given.into_iter().filter_map(|text| CString::new(text.into_encoded_bytes()).ok()).collect();
    let mut pointers: Vec<*mut c_char> =
        given.iter().map(|text| text.as_ptr().cast_mut()).collect();
    pointers.push(ptr::null_mut());
    let mut count = c_int::try_from(given.len()).unwrap_or(c_int::MAX);
    let mut pointers = pointers.as_mut_ptr();
    // SAFETY: the arguments live as long as this program, and end with a null pointer as those of `main` do.
    let code = unsafe { LLVMFuzzerRunDriver(&raw mut count, &raw mut pointers, execute) };
    let _ = std::fs::remove_file(dictionary);
    u8::try_from(code).map_or(ExitCode::FAILURE, ExitCode::from)
}

/// The target's dictionary in libFuzzer's format.
fn words(target: &Target) -> String {
    let byte = |byte: u8| match byte {
        b'"' | b'\\' => format!("\\{}", char::from(byte)),
        b' '..=b'~' => char::from(byte).to_string(),
        _ => format!("\\x{byte:02x}"),
    };
    let line = |word: &&str| format!("\"{}\"\n", word.bytes().map(byte).collect::<String>());
    // libFuzzer inserts at most 64 bytes at once.
    target.words.iter().filter(|word| word.len() <= 64).map(line).collect()
}
