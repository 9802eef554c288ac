//! Pictures: what they are by their content, and how they are resized. Work for blocking threads,
//! a few at a time.

use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use image::codecs::jpeg::JpegEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits};
use moka::future::Cache;
use roster_domain::{Code, Error, Problem, Result, Timestamp};
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::frame::Frame;

/// The longest side of a picture, in pixels.
const LONGEST_SIDE: u32 = 10_000;
/// How many pixels a picture has at most.
const MOST_PIXELS: u64 = 40_000_000;
/// How much memory decoding one picture may take, in bytes.
const MOST_MEMORY: u64 = 256 * 1024 * 1024;
/// How many pictures are decoded at a time: each takes memory.
const TURNS: usize = 2;
/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many bytes of resized pictures are remembered.
const REMEMBERED: u64 = 16 * 1024 * 1024;
/// How well JPEG pictures are written, of 100.
const QUALITY: u8 = 85;

/// What kind of picture it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Png,
    Jpeg,
    Gif,
    Webp,
}

impl Kind {
    /// The kind that the first bytes tell; neither names nor headers are asked.
    pub(crate) fn of(content: &[u8]) -> Option<Self> {
        Some(match image::guess_format(content).ok()? {
            ImageFormat::Png => Self::Png,
            ImageFormat::Jpeg => Self::Jpeg,
            ImageFormat::Gif => Self::Gif,
            ImageFormat::WebP => Self::Webp,
            _ => return None,
        })
    }

    /// The kind of a resized picture: of moving ones the first frame is left.
    pub(crate) const fn resized(self) -> Self {
        match self {
            Self::Gif => Self::Png,
            other => other,
        }
    }

    pub(crate) const fn content_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
        }
    }

    pub(crate) const fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::Gif => "gif",
            Self::Webp => "webp",
        }
    }

    const fn format(self) -> ImageFormat {
        match self {
            Self::Png => ImageFormat::Png,
            Self::Jpeg => ImageFormat::Jpeg,
            Self::Gif => ImageFormat::Gif,
            Self::Webp => ImageFormat::WebP,
        }
    }
}

/// What a picture is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) kind: Kind,
    /// In pixels, as it is shown.
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// Which resized picture: the file, when it came in, and what was asked for.
type Resized = (Uuid, Timestamp, Frame);

/// Looks at pictures and resizes them, a few at a time.
pub(crate) struct Pictures {
    turns: Arc<Semaphore>,
    resized: Cache<Resized, Arc<Vec<u8>>>,
}

impl Pictures {
    pub(crate) fn new() -> Self {
        let weigh =
            |_: &Resized, content: &Arc<Vec<u8>>| u32::try_from(content.len()).unwrap_or(u32::MAX);
        Self {
            turns: Arc::new(Semaphore::new(TURNS)),
            resized: Cache::builder()
                .weigher(weigh)
                .max_capacity(REMEMBERED)
                .build(),
        }
    }

    /// What a picture is, having been decoded to its end. Gives the content back.
    pub(crate) async fn inspect(&self, content: Vec<u8>) -> Result<(Facts, Vec<u8>)> {
        self.turn(move || {
            let (kind, picture) = decode(&content)?;
            let facts = Facts {
                kind,
                width: picture.width(),
                height: picture.height(),
            };
            Ok((facts, content))
        })
        .await
    }

    /// The picture in a frame, if it was asked for before.
    pub(crate) async fn remembered(&self, which: &Resized) -> Option<Arc<Vec<u8>>> {
        self.resized.get(which).await
    }

    /// The picture in a frame.
    pub(crate) async fn resize(&self, which: Resized, content: Vec<u8>) -> Result<Arc<Vec<u8>>> {
        let frame = which.2;
        let made = self.turn(move || {
            let (kind, picture) = decode(&content)?;
            encode(&frame.apply(picture, kind == Kind::Jpeg)?, kind.resized())
        });
        let made = Arc::new(made.await?);
        self.resized.insert(which, Arc::clone(&made)).await;
        Ok(made)
    }

    async fn turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.turns).acquire_owned());
        let turn = turn
            .await
            .map_err(|_| Error::unavailable("pictures", "too many pictures at once"))?
            .map_err(Error::internal)?;
        tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        })
        .await
        .map_err(Error::internal)?
    }
}

fn decode(content: &[u8]) -> Result<(Kind, DynamicImage)> {
    let kind = Kind::of(content).ok_or_else(unsupported)?;
    let mut reader = ImageReader::with_format(Cursor::new(content), kind.format());
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(refused)?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 || u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(too_large());
    }
    // The decoder of JPEG fills up what is missing.
    if kind == Kind::Jpeg && !content.windows(2).any(|pair| pair == [0xFF, 0xD9]) {
        return Err(unreadable());
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(refused)?;
    picture.apply_orientation(orientation);
    Ok((kind, picture))
}

fn encode(picture: &DynamicImage, kind: Kind) -> Result<Vec<u8>> {
    let mut made = Vec::new();
    let done = match kind {
        Kind::Jpeg => JpegEncoder::new_with_quality(&mut made, QUALITY)
            .encode_image(&DynamicImage::ImageRgb8(picture.to_rgb8())),
        kind => DynamicImage::ImageRgba8(picture.to_rgba8())
            .write_to(&mut Cursor::new(&mut made), kind.format()),
    };
    done.map_err(Error::internal)?;
    Ok(made)
}

/// It is no picture, or of a kind that is not taken.
fn unsupported() -> Error {
    Problem::new(Code::UnsupportedMediaType)
        .saying("Unsupported media type. Expected a PNG, JPEG, GIF or WebP image.")
        .into()
}

fn too_large() -> Error {
    Error::invalid_payload(format!(
        "the image has more than {LONGEST_SIDE} pixels on a side or {MOST_PIXELS} in all"
    ))
}

fn unreadable() -> Error {
    Error::invalid_payload("the image cannot be read")
}

fn refused(error: ImageError) -> Error {
    match error {
        ImageError::Limits(_) => too_large(),
        ImageError::Unsupported(_) => unsupported(),
        error => unreadable().because(error),
    }
}
