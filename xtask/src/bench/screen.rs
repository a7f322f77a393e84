//! Screenshots that nobody took, for `bench pictures`: a number in; a picture of a window, as a PNG, out.
//!
//! A codec for this alone would be a sixth of what is compiled before the first command.

use std::io::{self, Write as _};

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};

/// Width and height of the pictures in pixels.
pub const SIZE: (u32, u32) = (1920, 1080);

/// Colours, row by row, 8 bits each for red, green and blue.
#[derive(Debug, PartialEq)]
pub struct Screen {
    width: u32,
    height: u32,
    pixels: Vec<[u8; 3]>,
}

impl Screen {
    /// Draws a window with a bar, lines of grey text and a photograph: flat and busy parts, and more than 256 colours.
    pub fn of(number: u32) -> Self {
        let mut state = number.wrapping_mul(2_654_435_761) | 1;
        let mut random = move || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state
        };
        let (width, height) = SIZE;
        let tint = (random() % 60) as u8;
        let colour = |at: u32| match (at % width, at / width) {
            (x, ..48) => [40 + tint, 60, (90 + x / 32) as u8],
            (..320, _) => [236, 238 - tint / 8, 240],
            _ => [252, 252, 252],
        };
        let mut screen = Self { width, height, pixels: (0..width * height).map(colour).collect() };
        for line in 0..45 {
            let (top, mut x) = (64 + line * 22, 340);
            while x < 1180 {
                let length = 12 + random() % 80;
                for column in (x..(x + length).min(1180)).filter(|column| column % 9 > 1) {
                    for row in 0..13 {
                        let ink = 30 + (random() % 140) as u8;
                        if random() % 5 < 2 {
                            screen.put(column, top + row, [ink, ink, ink + tint / 4]);
                        }
                    }
                }
                x += length + 8;
            }
        }
        for y in 120..720 {
            for x in 1220..1880 {
                let noise = (random() % 24) as u8;
                let level = |of: u32| (of % 200) as u8 + noise;
                screen.put(x, y, [level(x / 3 + number * 7), level(y / 3), level((x * y) / 4000)]);
            }
        }
        screen
    }

    fn put(&mut self, x: u32, y: u32, colour: [u8; 3]) {
        self.pixels[(y * self.width + x) as usize] = colour;
    }

    /// The picture as a PNG, each row as the difference from the pixel at its left.
    ///
    /// # Errors
    /// None in practice: all is in memory.
    pub fn png(&self) -> io::Result<Vec<u8>> {
        let mut rows = ZlibEncoder::new(Vec::new(), Compression::default());
        for row in self.pixels.chunks_exact(self.width as usize) {
            let mut bytes = vec![1];
            let mut left = [0u8; 3];
            for pixel in row {
                bytes.extend((0..3).map(|band| pixel[band].wrapping_sub(left[band])));
                left = *pixel;
            }
            rows.write_all(&bytes)?;
        }
        let mut header = [self.width.to_be_bytes(), self.height.to_be_bytes()].concat();
        // 8 bits of red, green and blue; the only compression and filter; no interlacing.
        header.extend([8, 2, 0, 0, 0]);
        let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
        for (name, bytes) in [(b"IHDR", header), (b"IDAT", rows.finish()?), (b"IEND", Vec::new())] {
            let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
            let mut crc = Crc::new();
            crc.update(name);
            crc.update(&bytes);
            png.extend(length.to_be_bytes());
            png.extend(name);
            png.extend(&bytes);
            png.extend(crc.sum().to_be_bytes());
        }
        Ok(png)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::io::Read as _;

    use super::*;

    #[test]
    fn screenshots_are_the_same_each_time_and_no_drawings() {
        let one = Screen::of(3);
        assert!(one == Screen::of(3) && one != Screen::of(4));
        assert!(one.pixels.iter().collect::<HashSet<_>>().len() > 256);
    }

    #[test]
    fn a_png_has_its_chunks_with_their_checksums_and_all_pixels() {
        let screen =
            Screen { width: 2, height: 2, pixels: vec![[1, 2, 3], [4, 1, 3], [9; 3], [0; 3]] };
        let png = screen.png().expect("a PNG");
        let mut rest = png.strip_prefix(b"\x89PNG\r\n\x1a\n").expect("a PNG");
        let mut chunks = Vec::new();
        while let Some((length, after)) = rest.split_first_chunk::<4>() {
            let length = u32::from_be_bytes(*length) as usize;
            let mut crc = Crc::new();
            crc.update(&after[..length + 4]);
            assert_eq!(after[length + 4..length + 8], crc.sum().to_be_bytes());
            chunks.push((&after[..4], &after[4..length + 4]));
            rest = &after[length + 8..];
        }
        let names: Vec<&[u8]> = chunks.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, [b"IHDR", b"IDAT", b"IEND"]);
        assert_eq!(chunks[0].1, [0, 0, 0, 2, 0, 0, 0, 2, 8, 2, 0, 0, 0]);
        let mut rows = Vec::new();
        flate2::read::ZlibDecoder::new(chunks[1].1).read_to_end(&mut rows).expect("rows");
        assert_eq!(rows, [1, 1, 2, 3, 3, 255, 0, 1, 9, 9, 9, 247, 247, 247]);
    }
}
