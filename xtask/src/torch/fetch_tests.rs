//! The set-up with small made-up wheels: from nothing, interrupted at every step, with damage, and two at once.

use std::cell::RefCell;
use std::sync::Mutex;

use tempfile::TempDir;

use super::*;
use crate::failure::failure;
use crate::platform::Platform;
use crate::unpack::tests::pack;

/// An index with three small wheels, which records requests.
#[derive(Default)]
struct Index {
    asked: RefCell<Vec<&'static str>>,
    refuses: RefCell<bool>,
}

/// Writes the wheels that pip would download.
fn bring(wanted: &Wanted, into: &Path) -> Result<()> {
    let file = |name: &str| into.join(name);
    match wanted.name {
        "torch" => pack(
            &file("torch-2.11.0-cp311.whl"),
            &[
                ("torch/include/torch/torch.h", "#pragma once"),
                ("torch/lib/libtorch_cpu.so", "cpu"),
                ("torch/lib/libc10.so", "c10"),
                ("torch/lib/libtorch.so", "torch"),
                ("torch/lib/libtorch_python.so", "python"),
                ("torch/lib/libtorch_cuda.so", "cuda"),
                ("torch/lib/libc10_cuda.so", "c10 for cuda"),
                ("torch/nn/modules.py", "pass"),
                (
                    "torch-2.11.0.dist-info/METADATA",
                    "Requires-Dist: sympy>=1.13\n\
                     Requires-Dist: cuda-toolkit[cublas]==13.0.2; platform_system == \"Linux\"\n\
                     Requires-Dist: nvidia-cudnn-cu13==9.19.0.56; platform_system == \"Linux\"\n",
                ),
            ],
        ),
        "cudart" => pack(
            &file("nvidia_cuda_runtime.whl"),
            &[("nvidia/cu13/lib/libcudart.so.13", "rt"), ("nvidia/cu13/include/cuda.h", "")],
        ),
        _ => pack(
            &file("nvidia_cudnn.whl"),
            &[("nvidia/cudnn/lib/libcudnn.so.9", "dnn"), ("nvidia/cudnn/include/cudnn.h", "")],
        ),
    }
}

impl Source for Index {
    fn download(&self, wanted: &Wanted, into: &Path) -> Result<()> {
        self.asked.borrow_mut().push(wanted.name);
        if *self.refuses.borrow() {
            return Err(failure("no network", "try again"));
        }
        bring(wanted, into)
    }
}

struct Scene {
    cache: TempDir,
    layout: Layout,
    index: Index,
}

impl Scene {
    fn new() -> Result<Self> {
        let cache = tempfile::tempdir()?;
        let layout = Layout::new(cache.path().join("made/on/demand"), Platform::Linux("x86_64"));
        Ok(Self { cache, layout, index: Index::default() })
    }

    fn run(&self, with_cuda: bool) -> Result<bool> {
        Fetch { layout: &self.layout, source: &self.index }.complete(with_cuda)
    }

    /// The requests since the last call.
    fn asked(&self) -> Vec<&'static str> {
        self.index.asked.take()
    }

    fn assert_cpu_is_there(&self) -> Result<()> {
        let link = self.layout.link();
        assert_eq!(fs::read_to_string(link.join("lib/libtorch.so"))?, "cpu");
        assert_eq!(fs::read_to_string(link.join("lib/libc10.so"))?, "c10");
        assert_eq!(fs::read_to_string(link.join("include/torch/torch.h"))?, "#pragma once");
        assert!(self.layout.root().join("nvidia/cu13/lib/libcudart.so.13").exists());
        assert!(!self.layout.libraries().join("libtorch_python.so").exists());
        assert!(!self.layout.root().join("torch/nn").exists());
        assert!(!self.layout.downloads().exists(), "wheels are deleted");
        assert!(!self.layout.partial(Part::Cpu).exists());
        Ok(())
    }
}

#[test]
fn from_nothing_and_then_nothing_more_to_do() -> Result<()> {
    let scene = Scene::new()?;
    assert!(scene.run(false)?);
    assert_eq!(scene.asked(), ["torch", "cudart"]);
    scene.assert_cpu_is_there()?;
    assert!(!scene.layout.libraries().join("libtorch_cuda.so").exists());
    assert!(!scene.run(false)?);
    assert!(scene.asked().is_empty());
    Ok(())
}

#[test]
fn cuda_comes_beside_the_cpu_and_never_into_the_link_folder() -> Result<()> {
    let scene = Scene::new()?;
    scene.run(false)?;
    scene.asked();
    assert!(scene.run(true)?);
    assert_eq!(scene.asked(), ["torch", "cuda"]);
    scene.assert_cpu_is_there()?;
    for file in ["torch/lib/libtorch_cuda.so", "torch/lib/libc10_cuda.so"] {
        assert!(scene.layout.root().join(file).exists(), "{file}");
    }
    assert!(scene.layout.root().join("nvidia/cudnn/lib/libcudnn.so.9").exists());
    assert!(!scene.layout.link().join("lib/libtorch_cuda.so").exists());
    assert!(!scene.run(true)?);
    assert!(!scene.run(false)?);
    Ok(())
}

#[test]
fn with_cuda_from_nothing_the_large_wheel_comes_once() -> Result<()> {
    let scene = Scene::new()?;
    assert!(scene.run(true)?);
    assert_eq!(scene.asked(), ["torch", "cudart", "cuda"]);
    scene.assert_cpu_is_there()
}

#[test]
fn a_failed_download_leaves_what_was_downloaded_before() -> Result<()> {
    let scene = Scene::new()?;
    let folder = scene.layout.downloads().join("torch");
    fs::create_dir_all(&folder)?;
    bring(&torch(), &folder)?;
    *scene.index.refuses.borrow_mut() = true;
    assert!(scene.run(false).is_err());
    assert_eq!(scene.asked(), ["cudart"]);
    *scene.index.refuses.borrow_mut() = false;
    assert!(scene.run(false)?);
    assert_eq!(scene.asked(), ["cudart"]);
    scene.assert_cpu_is_there()
}

#[test]
fn broken_off_while_pip_was_writing() -> Result<()> {
    let scene = Scene::new()?;
    let partial = scene.layout.downloads().join("torch.partial-x7");
    fs::create_dir_all(&partial)?;
    fs::write(partial.join("torch-2.11.0-cp311.whl"), "half a whe")?;
    assert!(scene.run(false)?);
    assert_eq!(scene.asked(), ["torch", "cudart"]);
    scene.assert_cpu_is_there()
}

#[test]
fn broken_off_while_unpacking_or_before_the_marker() -> Result<()> {
    for place in [Layout::root, |layout: &Layout| layout.partial(Part::Cpu)] {
        let scene = Scene::new()?;
        scene.run(false)?;
        scene.asked();
        fs::remove_file(scene.layout.root().join("cpu.complete"))?;
        if place(&scene.layout) != scene.layout.root() {
            fs::rename(scene.layout.root(), place(&scene.layout))?;
        }
        fs::write(place(&scene.layout).join("torch/lib/libc10.so"), "half")?;
        for wanted in [torch(), cuda_runtime()] {
            let folder = scene.layout.downloads().join(wanted.name);
            fs::create_dir_all(&folder)?;
            bring(&wanted, &folder)?;
        }
        assert!(scene.run(false)?);
        assert!(scene.asked().is_empty(), "the wheels were there");
        scene.assert_cpu_is_there()?;
    }
    Ok(())
}

#[test]
fn a_wheel_cut_short_or_damaged_is_downloaded_again() -> Result<()> {
    for damage in [
        |bytes: &mut Vec<u8>| bytes.truncate(90),
        |bytes: &mut Vec<u8>| {
            let at = bytes.windows(12).position(|w| w == b"#pragma once").expect("it is stored");
            bytes[at] = b'!';
        },
    ] {
        let scene = Scene::new()?;
        let folder = scene.layout.downloads().join("torch");
        fs::create_dir_all(&folder)?;
        bring(&torch(), &folder)?;
        let wheel = folder.join("torch-2.11.0-cp311.whl");
        let mut bytes = fs::read(&wheel)?;
        damage(&mut bytes);
        fs::write(&wheel, bytes)?;
        assert!(scene.run(false)?);
        let mut asked = scene.asked();
        asked.sort_unstable();
        assert_eq!(asked, ["cudart", "torch"]);
        scene.assert_cpu_is_there()?;
    }
    Ok(())
}

#[test]
fn two_at_once_do_the_work_once() -> Result<()> {
    /// The index, for more than one thread.
    struct Shared(Mutex<usize>);
    impl Source for Shared {
        fn download(&self, wanted: &Wanted, into: &Path) -> Result<()> {
            *self.0.lock().expect("no test panics with it") += 1;
            std::thread::sleep(std::time::Duration::from_millis(20));
            bring(wanted, into)
        }
    }
    let scene = Scene::new()?;
    let index = Shared(Mutex::new(0));
    let work = || Fetch { layout: &scene.layout, source: &index }.complete(false);
    let results = std::thread::scope(|scope| {
        let (one, two) = (scope.spawn(work), scope.spawn(work));
        [one.join().expect("no panic"), two.join().expect("no panic")]
    });
    let mut did: Vec<bool> = results.into_iter().collect::<Result<_>>()?;
    did.sort_unstable();
    assert_eq!(did, [false, true]);
    assert_eq!(*index.0.lock().expect("no test panics with it"), 2);
    scene.assert_cpu_is_there()
}

#[test]
fn the_folder_may_be_moved() -> Result<()> {
    let mut scene = Scene::new()?;
    scene.run(false)?;
    let moved = scene.cache.path().join("moved");
    fs::rename(scene.cache.path().join("made/on/demand"), &moved)?;
    scene.layout = Layout::new(moved, Platform::Linux("x86_64"));
    assert!(!scene.run(false)?);
    scene.assert_cpu_is_there()
}

#[test]
fn conditions_are_cut_from_requirements() {
    let metadata = "Requires-Dist: triton==3.6.0; platform_system == \"Linux\"\n\
                    Requires-Dist: nvidia-nccl-cu13==2.28.9; platform_system == \"Linux\"\n";
    assert_eq!(cuda_requirements(metadata), ["nvidia-nccl-cu13==2.28.9"]);
}
