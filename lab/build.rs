//! Lets the binary and the tests find libtorch where it was linked from, and notes its version.

use std::env;
use std::fs;
use std::path::Path;

fn main() {
    println!("cargo:rerun-if-env-changed=LIBTORCH");
    let root = env::var_os("LIBTORCH");
    if let Some(root) = &root {
        // `LIBTORCH` may be a folder of links that keeps CUDA out of sight of the linker; at run time the
        // libraries are looked for where they really lie, and CUDA's beside them.
        let lib = Path::new(root).join("lib");
        let real = fs::canonicalize(lib.join("libtorch_cpu.so")).ok();
        let lib = real.as_deref().and_then(Path::parent).unwrap_or(&lib);
        println!("cargo:rustc-link-arg=-Wl,-rpath,{}", lib.display());
    }
    let version = root.and_then(|root| version_in(Path::new(&root)));
    // libtorch has no C function that tells its version; tch 0.24 binds this one and no other.
    let version = version.unwrap_or_else(|| "2.11.0".to_owned());
    println!("cargo:rustc-env=NEURONOTES_LIBTORCH_VERSION={version}");
}

/// The version that the headers beside the linked libraries state.
fn version_in(root: &Path) -> Option<String> {
    let header = root.join("include/torch/headeronly/version.h");
    let text = fs::read_to_string(header).ok()?;
    let number = |name: &str| {
        text.lines().find_map(|line| {
            let rest = line.strip_prefix("#define TORCH_VERSION_")?;
            rest.strip_prefix(name)?.trim().parse::<u32>().ok()
        })
    };
    Some(format!("{}.{}.{}", number("MAJOR")?, number("MINOR")?, number("PATCH")?))
}
