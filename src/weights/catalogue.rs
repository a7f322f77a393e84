//! The CLIPs that OpenAI released: names, sizes, and where their weights are published.
//!
//! Names, files and digests are those of `_MODELS` in openai/CLIP's `clip/clip.py` (MIT); pixels, layers and widths
//! are what its `build_model` infers. Parameters and bytes were counted on open_clip 3.3's models of the same sizes;
//! bytes assume half precision where OpenAI's files use it (convolutions, linear and attention layers, projections).
//! Knows nothing of how weights are fetched or read.

use std::fmt;
use std::path::PathBuf;

use neuronotes_core::cache;
use neuronotes_core::sha256::Sha256;

/// OpenAI's base URL: a file is at `<sha256>/<file>` below it.
pub const BASE: &str = "https://openaipublic.azureedge.net/clip/models/";

/// A known model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// OpenAI's name.
    pub name: &'static str,
    /// The name of its file.
    pub file: &'static str,
    /// SHA-256 of the file.
    pub sha256: Sha256,
    /// Width and height of the input image, in pixels.
    pub pixels: u32,
    /// The image tower.
    pub tower: Tower,
    /// Number of parameters of both towers.
    pub parameters: u64,
    /// Size of all tensors in the file, in bytes. The file itself is larger by less than 1%.
    pub bytes: u64,
}

/// A short description of an image tower.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tower {
    /// A ModifiedResNet: blocks in each of its four layers, and its width.
    ResNet([u32; 4], u32),
    /// A vision transformer: side of a patch in pixels, number of blocks, and width.
    Transformer(u32, u32, u32),
}

impl fmt::Display for Tower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ResNet([a, b, c, d], width) => {
                write!(f, "ResNet {a}, {b}, {c}, {d}, width {width}")
            }
            Self::Transformer(patch, blocks, width) => {
                write!(f, "ViT/{patch} {blocks} blocks, width {width}")
            }
        }
    }
}

macro_rules! known {
    ($name:literal, $file:literal, $sha256:literal, $pixels:literal, $tower:expr, $parameters:literal, $bytes:literal) => {
        Known {
            name: $name,
            file: $file,
            sha256: Sha256::constant($sha256),
            pixels: $pixels,
            tower: $tower,
            parameters: $parameters,
            bytes: $bytes,
        }
    };
}

/// All known models, in OpenAI's order.
#[rustfmt::skip]
pub const KNOWN: &[Known] = &[
    known!("RN50", "RN50.pt", "afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762",
        224, Tower::ResNet([3, 4, 6, 3], 64), 102_007_137, 255_262_844),
    known!("RN101", "RN101.pt", "8fa8567bab74a42d41c5915025a8e4538c3bdbe8804a470a72f30b0d94fab599",
        224, Tower::ResNet([3, 4, 23, 3], 64), 119_688_033, 290_938_388),
    known!("RN50x4", "RN50x4.pt", "7e526bd135e493cef0776de27d5f42653e6b4c8bf9e0f653bb11773263205fdd",
        288, Tower::ResNet([4, 6, 10, 6], 80), 178_300_601, 421_085_084),
    known!("RN50x16", "RN50x16.pt", "52378b407f34354e150460fe41077663dd5b39c54cd0bfd2b27167a4a06ec9aa",
        384, Tower::ResNet([6, 8, 18, 8], 96), 290_979_217, 660_099_612),
    known!("RN50x64", "RN50x64.pt", "be1cfb55d75a9666199fb2206c106743da0f6468c9d327f3e0d0a543a9919d9c",
        448, Tower::ResNet([3, 15, 36, 10], 128), 623_258_305, 1_352_043_452),
    known!("ViT-B/32", "ViT-B-32.pt", "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af",
        224, Tower::Transformer(32, 12, 768), 151_277_313, 353_436_676),
    known!("ViT-B/16", "ViT-B-16.pt", "5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f",
        224, Tower::Transformer(16, 12, 768), 149_620_737, 350_349_316),
    known!("ViT-L/14", "ViT-L-14.pt", "b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836",
        224, Tower::Transformer(14, 24, 1024), 427_616_513, 932_051_972),
    known!("ViT-L/14@336px", "ViT-L-14-336px.pt", "3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02",
        336, Tower::Transformer(14, 24, 1024), 427_944_193, 933_362_692),
];

impl Known {
    /// The URL of its weights.
    pub fn url(&self) -> String {
        format!("{BASE}{}/{}", self.sha256, self.file)
    }

    /// The path of its weights on this machine, once fetched.
    ///
    /// # Errors
    /// If the environment names no cache folder.
    pub fn path(&self) -> Result<PathBuf, cache::Nowhere> {
        Ok(folder()?.join(self.file))
    }
}

/// The folder of weights: `models` in the cache folder.
///
/// # Errors
/// If the environment names no cache folder.
pub fn folder() -> Result<PathBuf, cache::Nowhere> {
    Ok(cache::folder()?.join("models"))
}

/// The model with this name. Only letters and digits are compared, ignoring case, so that open_clip's `ViT-B-32`
/// matches OpenAI's `ViT-B/32`; a final `px` is optional.
pub fn find(name: &str) -> Option<&'static Known> {
    let wanted = plain(name);
    KNOWN.iter().find(|known| plain(known.name) == wanted)
}

fn plain(name: &str) -> String {
    let kept = name.chars().filter(char::is_ascii_alphanumeric);
    let plain: String = kept.map(|c| c.to_ascii_lowercase()).collect();
    plain.strip_suffix("px").map(str::to_owned).unwrap_or(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_however_they_are_written() {
        for (written, name) in [
            ("RN50x4", "RN50x4"),
            ("rn50X4", "RN50x4"),
            ("ViT-B-32", "ViT-B/32"),
            ("vit_b_16", "ViT-B/16"),
            ("ViT-L-14", "ViT-L/14"),
            ("ViT-L-14-336", "ViT-L/14@336px"),
            ("ViT-L/14@336px", "ViT-L/14@336px"),
        ] {
            assert_eq!(find(written).map(|known| known.name), Some(name), "{written}");
        }
        for written in ["", "RN", "RN50x", "px", "ViT-B", "ViT-H/14"] {
            assert_eq!(find(written), None, "{written}");
        }
        for known in KNOWN {
            assert_eq!(find(known.name), Some(known));
            assert_eq!(find(known.file.trim_end_matches(".pt")), Some(known));
        }
    }

    #[test]
    fn a_file_is_published_below_its_digest() {
        assert_eq!(
            find("RN50").expect("known").url(),
            "https://openaipublic.azureedge.net/clip/models/afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762/RN50.pt"
        );
    }

    /// Parameters computed from the sizes alone, independently of the recorded numbers.
    #[test]
    fn the_parameters_are_those_of_the_sizes() {
        for known in KNOWN {
            let (embedding, text) = match known.name {
                "RN50" => (1024, 512),
                "RN101" => (512, 512),
                "RN50x4" => (640, 640),
                "RN50x16" => (768, 768),
                "RN50x64" => (1024, 1024),
                "ViT-B/32" | "ViT-B/16" => (512, 512),
                _ => (768, 768),
            };
            let texts = 49408 * text + 77 * text + 12 * block(text) + 2 * text + text * embedding;
            let pictures = match known.tower {
                Tower::Transformer(patch, blocks, width) => {
                    let (patch, width) = (u64::from(patch), u64::from(width));
                    let positions = (u64::from(known.pixels) / patch).pow(2) + 1;
                    3 * patch * patch * width
                        + width
                        + positions * width
                        + 4 * width
                        + u64::from(blocks) * block(width)
                        + width * embedding
                }
                Tower::ResNet(blocks, width) => {
                    resnet(blocks, width.into(), known.pixels, embedding)
                }
            };
            assert_eq!(pictures + texts + 1, known.parameters, "{}", known.name);
        }
    }

    /// A transformer block: two normalisations, attention, and an MLP of fourfold width.
    fn block(width: u64) -> u64 {
        4 * width + 4 * (width * width + width) + (8 * width * width + 5 * width)
    }

    fn resnet(blocks: [u32; 4], width: u64, pixels: u32, embedding: u64) -> u64 {
        // A convolution without a bias, and the normalisation after it.
        let conv = |from: u64, to: u64, side: u64| from * to * side * side + 2 * to;
        let mut sum =
            conv(3, width / 2, 3) + conv(width / 2, width / 2, 3) + conv(width / 2, width, 3);
        let mut from = width;
        for (stage, count) in blocks.into_iter().enumerate() {
            let inner = width << stage;
            for i in 0..count {
                sum += conv(from, inner, 1) + conv(inner, inner, 3) + conv(inner, 4 * inner, 1);
                if i == 0 {
                    sum += conv(from, 4 * inner, 1);
                }
                from = 4 * inner;
            }
        }
        let side = u64::from(pixels) / 32;
        let positions = (side * side + 1) * from;
        sum + positions + 3 * (from * from + from) + from * embedding + embedding
    }
}
