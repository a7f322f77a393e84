//! The device that measures: the requested device in; a device that exists out.
//!
//! One binary serves processors and GPUs. It is linked to libtorch's processor part only; the GPU part is
//! loaded at the start if it is installed, and registers itself. If the requested device does not exist, that is an error.

use std::env;
use std::ffi::{CStr, c_char, c_int};
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_NOW};

/// The environment variable that names the folder with libtorch's GPU part, if that is not beside its processor part.
pub const CUDA_FOLDER: &str = "NEURONOTES_TORCH_CUDA";

/// Environment variables that limit the instructions of libraries that libtorch calls.
const LIMITS: [&str; 4] =
    ["ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "MKL_ENABLE_INSTRUCTIONS", "MKL_CBWR"];
const CUDA_LIBRARY: &str = "libtorch_cuda.so";

/// libtorch's version.
pub const LIBTORCH: &str = env!("NEURONOTES_LIBTORCH_VERSION");

/// The requested device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeviceChoice {
    /// The first GPU, or the processor if there is none.
    Auto,
    /// The processor.
    Cpu,
    /// That GPU.
    Cuda(usize),
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "cuda" => Ok(Self::Cuda(0)),
            _ => text
                .strip_prefix("cuda:")
                .and_then(|index| index.parse().ok())
                .map(Self::Cuda)
                .ok_or_else(|| format!("`{text}` is not a device; use `auto`, `cpu` or `cuda:0`")),
        }
    }
}

impl std::fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(index) => write!(f, "cuda:{index}"),
        }
    }
}

/// A device that exists.
#[derive(Debug, Clone, PartialEq)]
pub struct Device {
    /// For libtorch.
    pub torch: tch::Device,
    /// `cpu` or `cuda:N`.
    pub label: String,
    /// Its maker's name for it.
    pub name: String,
    /// The vector instructions that libtorch uses on a processor, such as `avx512`; empty for a GPU.
    pub instructions: String,
}

/// The error that the requested device cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Unusable {
    /// What is wrong.
    pub message: String,
    /// What to do, if known.
    pub hint: Option<String>,
}

impl Device {
    /// Finds the device. Call it once, on the only thread, before anything else of libtorch.
    ///
    /// # Errors
    /// If a GPU was requested and cannot be used; it never falls back to the processor then.
    pub fn open(wish: DeviceChoice) -> Result<Self, Unusable> {
        match wish {
            DeviceChoice::Cpu => Ok(Self::cpu()),
            DeviceChoice::Auto => match load_cuda() {
                Loaded::Yes if tch::Cuda::is_available() => Self::cuda(0),
                Loaded::Broken(why) if env::var_os(CUDA_FOLDER).is_some() => Err(broken(&why)),
                Loaded::Broken(why) => {
                    neuronotes_core::say::err(format_args!(
                        "neuronotes-lab: cannot load the GPU part of libtorch ({why}); using the processor"
                    ));
                    Ok(Self::cpu())
                }
                Loaded::Yes | Loaded::Absent => Ok(Self::cpu()),
            },
            DeviceChoice::Cuda(index) => match load_cuda() {
                Loaded::Absent => Err(Unusable {
                    message: format!(
                        "cuda:{index} was requested, but {CUDA_LIBRARY} was not found"
                    ),
                    hint: Some(format!(
                        "`cargo xtask setup --cuda` fetches it; or set {CUDA_FOLDER} to its folder; or use the device `cpu`"
                    )),
                }),
                Loaded::Broken(why) => Err(broken(&why)),
                Loaded::Yes => Self::cuda(index),
            },
        }
    }

    /// The total memory of a GPU, in bytes; `None` for a processor.
    pub fn memory(&self) -> Option<u64> {
        match self.torch {
            tch::Device::Cuda(index) => gpu_memory(index),
            _ => None,
        }
    }

    fn cpu() -> Self {
        Self {
            torch: tch::Device::Cpu,
            label: "cpu".into(),
            name: processor_name().unwrap_or_else(|| env::consts::ARCH.to_owned()),
            instructions: instructions(),
        }
    }

    fn cuda(index: usize) -> Result<Self, Unusable> {
        let count = tch::Cuda::device_count().max(0) as usize;
        if !tch::Cuda::is_available() || index >= count {
            return Err(Unusable {
                message: format!("cuda:{index} was requested, but {count} GPUs are visible"),
                hint: Some("see what `nvidia-smi` lists, or use the device `cpu`".into()),
            });
        }
        Ok(Self {
            torch: tch::Device::Cuda(index),
            label: format!("cuda:{index}"),
            name: gpu_name(index).unwrap_or_else(|| "NVIDIA GPU".to_owned()),
            instructions: String::new(),
        })
    }
}

fn broken(why: &str) -> Unusable {
    Unusable {
        message: format!("cannot load the GPU part of libtorch ({why})"),
        hint: Some(format!(
            "it must be of libtorch {LIBTORCH}, with the CUDA libraries it names beside it"
        )),
    }
}

enum Loaded {
    Yes,
    Absent,
    Broken(String),
}

/// Loads libtorch's GPU part, from the folder in [`CUDA_FOLDER`] or from beside the processor part.
fn load_cuda() -> Loaded {
    let folder = env::var_os(CUDA_FOLDER).map(PathBuf::from);
    let Some(folder) = folder.or_else(libtorch_folder) else {
        return Loaded::Absent;
    };
    let path = folder.join(CUDA_LIBRARY);
    if !path.is_file() {
        return Loaded::Absent;
    }
    // A request's precision is IEEE single; without this, convolutions round their factors to 10 bits.
    // SAFETY: `Device::open` runs on the only thread, so nothing reads the environment meanwhile.
    unsafe { env::set_var("NVIDIA_TF32_OVERRIDE", "0") };
    // SAFETY: loading runs libtorch's initialisers, as intended; the folder is the user's own.
    match unsafe { Library::open(Some(&path), RTLD_NOW | RTLD_GLOBAL) } {
        Ok(library) => {
            // It registers itself with the processor part, so it must stay loaded as long as that.
            std::mem::forget(library);
            Loaded::Yes
        }
        Err(error) => Loaded::Broken(error.to_string()),
    }
}

/// The folder of the libtorch that this process is linked to.
fn libtorch_folder() -> Option<PathBuf> {
    let maps = fs::read_to_string("/proc/self/maps").ok()?;
    let path = maps.lines().find_map(|line| {
        line.ends_with("/libtorch_cpu.so").then(|| line.find('/')).flatten().map(|at| &line[at..])
    })?;
    Some(Path::new(path).parent()?.to_owned())
}

/// The vector instructions that libtorch uses here: as in ATen's `get_cpu_capability`, the widest that the processor has, or
/// what the user limits it to; and the limits of the libraries that it calls, if there are any.
pub(crate) fn instructions() -> String {
    let given = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let words = ["default", "avx2", "avx512"];
    let known = |value: String| words.contains(&value.as_str()).then_some(value);
    let mut said = given("ATEN_CPU_CAPABILITY").and_then(known).unwrap_or_else(|| widest().into());
    for limit in LIMITS {
        if let Some(value) = given(limit) {
            said.push_str(&format!(", {limit}={value}"));
        }
    }
    said
}

#[cfg(target_arch = "x86_64")]
fn widest() -> &'static str {
    let has_512 = is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("fma");
    match is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        true if has_512 => "avx512",
        true => "avx2",
        false => "default",
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn widest() -> &'static str {
    "default"
}

fn processor_name() -> Option<String> {
    let info = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = info.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// A GPU's name, from the driver, since tch has no function for it. Ordinals are those of libtorch: both follow
/// `CUDA_VISIBLE_DEVICES`.
fn gpu_name(index: usize) -> Option<String> {
    type Init = unsafe extern "C" fn(u32) -> c_int;
    type Get = unsafe extern "C" fn(*mut c_int, c_int) -> c_int;
    type Name = unsafe extern "C" fn(*mut c_char, c_int, c_int) -> c_int;
    let mut device: c_int = 0;
    let mut name: [c_char; 256] = [0; 256];
    // SAFETY: three functions of the driver's stable interface, called with the types of cuda.h; the
    // name is written into a buffer whose length is handed over, and is ended by a zero.
    unsafe {
        let driver = Library::new("libcuda.so.1").ok()?;
        let init = driver.get::<Init>(b"cuInit\0").ok()?;
        let get = driver.get::<Get>(b"cuDeviceGet\0").ok()?;
        let name_of = driver.get::<Name>(b"cuDeviceGetName\0").ok()?;
        let done = init(0) == 0
            && get(&mut device, c_int::try_from(index).ok()?) == 0
            && name_of(name.as_mut_ptr(), 255, device) == 0;
        std::mem::forget(driver);
        done.then(|| CStr::from_ptr(name.as_ptr()).to_string_lossy().into_owned())
    }
}

/// A GPU's memory in bytes, from the driver.
fn gpu_memory(index: usize) -> Option<u64> {
    type Init = unsafe extern "C" fn(u32) -> c_int;
    type Get = unsafe extern "C" fn(*mut c_int, c_int) -> c_int;
    type Total = unsafe extern "C" fn(*mut usize, c_int) -> c_int;
    let (mut device, mut bytes): (c_int, usize) = (0, 0);
    // SAFETY: as above; `cuDeviceTotalMem_v2` writes one `size_t`.
    unsafe {
        let driver = Library::new("libcuda.so.1").ok()?;
        let init = driver.get::<Init>(b"cuInit\0").ok()?;
        let get = driver.get::<Get>(b"cuDeviceGet\0").ok()?;
        let total = driver.get::<Total>(b"cuDeviceTotalMem_v2\0").ok()?;
        let done = init(0) == 0
            && get(&mut device, c_int::try_from(index).ok()?) == 0
            && total(&mut bytes, device) == 0;
        std::mem::forget(driver);
        done.then_some(bytes as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_named_as_in_the_configuration() {
        assert_eq!("auto".parse(), Ok(DeviceChoice::Auto));
        assert_eq!("cpu".parse(), Ok(DeviceChoice::Cpu));
        assert_eq!("cuda:3".parse(), Ok(DeviceChoice::Cuda(3)));
        for name in ["auto", "cpu", "cuda:2"] {
            assert_eq!(
                name.parse::<DeviceChoice>().map(|wish| wish.to_string()).as_deref(),
                Ok(name)
            );
        }
        for wrong in ["", "gpu", "cuda:", "cuda:x", "cuda:-1"] {
            assert!(wrong.parse::<DeviceChoice>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_processor_is_always_there() {
        let device = Device::open(DeviceChoice::Cpu).expect("a processor");
        assert_eq!(device.label, "cpu");
        assert!(!device.name.is_empty());
    }

    #[test]
    fn the_linked_libtorch_is_found() {
        // Without a call into it the linker may leave libtorch out.
        let _ = tch::get_num_threads();
        let folder = libtorch_folder().expect("a folder");
        assert!(folder.join("libtorch_cpu.so").exists());
    }
}
