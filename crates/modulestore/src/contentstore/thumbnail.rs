//! Small pictures of images (olx.md §12).

use std::io::Cursor;

use bytes::Bytes;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageReader, Limits};

use crate::error::{Error, Result};

/// Widest and highest a thumbnail may be, in pixels.
pub const THUMBNAIL_SIZE: u32 = 128;
/// Widest and highest image that is decoded, in pixels.
const LARGEST_SIDE: u32 = 20_000;
/// Memory that decoding one image may take.
const LARGEST_ALLOCATION: u64 = 256 << 20;
/// Quality of the JPEG, as the platform's image library has it by default.
const QUALITY: u8 = 75;

/// A thumbnail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thumbnail {
    /// `.jpg`, or `.svg` for drawings, which are their own thumbnail.
    pub extension: &'static str,
    /// MIME type.
    pub content_type: &'static str,
    /// The file.
    pub data: Bytes,
}

/// Makes the thumbnail of an image: a JPEG of 128 × 128 pixels at most that keeps the ratio. Smaller images
/// are not enlarged.
///
/// Takes a while; do not call it on a thread that serves requests. Fails on what is no readable image.
pub fn make_thumbnail(content_type: &str, bytes: &Bytes) -> Result<Thumbnail> {
    if content_type == "image/svg+xml" {
        return Ok(Thumbnail {
            extension: ".svg",
            content_type: "image/svg+xml",
            data: bytes.clone(),
        });
    }
    let failed = |error: &dyn std::fmt::Display| Error::Thumbnail(error.to_string());
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|error| failed(&error))?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(LARGEST_SIDE);
    limits.max_image_height = Some(LARGEST_SIDE);
    limits.max_alloc = Some(LARGEST_ALLOCATION);
    reader.limits(limits);
    let image =
        DynamicImage::ImageRgb8(reader.decode().map_err(|error| failed(&error))?.into_rgb8());
    let small = if image.width() > THUMBNAIL_SIZE || image.height() > THUMBNAIL_SIZE {
        image.resize(THUMBNAIL_SIZE, THUMBNAIL_SIZE, FilterType::Lanczos3)
    } else {
        image
    };
    let mut data = Vec::new();
    small
        .write_with_encoder(JpegEncoder::new_with_quality(&mut data, QUALITY))
        .map_err(|error| failed(&error))?;
    Ok(Thumbnail {
        extension: ".jpg",
        content_type: "image/jpeg",
        data: data.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Bytes {
        let mut data = Vec::new();
        DynamicImage::new_rgba8(width, height)
            .write_to(&mut Cursor::new(&mut data), image::ImageFormat::Png)
            .unwrap();
        data.into()
    }

    // olx.md §12: at most 128 × 128, ratio kept, JPEG.
    #[test]
    fn images_shrink_and_keep_their_ratio() {
        for (size, small) in [
            ((640, 320), (128, 64)),
            ((30, 300), (13, 128)),
            ((40, 20), (40, 20)),
        ] {
            let made = make_thumbnail("image/png", &png(size.0, size.1)).unwrap();
            assert_eq!((made.extension, made.content_type), (".jpg", "image/jpeg"));
            let read = image::load_from_memory(&made.data).unwrap();
            assert_eq!((read.width(), read.height()), small);
        }
    }

    // olx.md §12: drawings are their own thumbnail; what cannot be read has none.
    #[test]
    fn drawings_stay_and_rubbish_fails() {
        let svg = Bytes::from_static(b"<svg/>");
        let made = make_thumbnail("image/svg+xml", &svg).unwrap();
        assert_eq!((made.extension, made.data), (".svg", svg));
        assert!(make_thumbnail("image/png", &Bytes::from_static(b"no image")).is_err());
        assert!(make_thumbnail("image/png", &png(3, 3).slice(..20)).is_err());
    }
}
