//! Into which frame a picture is put.

use image::imageops::{self, FilterType};
use image::{DynamicImage, Rgba, RgbaImage};
use roster_domain::query::Parameters;
use roster_domain::{Error, Result};
use serde_json::Value as Json;

/// The longest side that can be asked for.
const MOST: u32 = 2_048;
/// The longest side that comes out where only one was asked for.
const MOST_MADE: u64 = 4_096;

/// Transformations of the wire format that are not made.
const OTHERS: [&str; 7] = [
    "key",
    "transforms",
    "format",
    "quality",
    "withoutEnlargement",
    "focal_point_x",
    "focal_point_y",
];

/// How a picture is put into both sides of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Fit {
    /// It fills the frame; what is outside of it is cut off.
    Cover,
    /// All of it is in the frame; the rest of the frame is empty.
    Contain,
    /// All of it is in the frame, and there is no more than it.
    Inside,
    /// It covers the frame, and nothing is cut off.
    Outside,
}

/// A frame of one or two given sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Frame {
    width: Option<u32>,
    height: Option<u32>,
    fit: Fit,
}

impl Frame {
    /// Reads `width`, `height` and `fit`; nothing where neither side is given.
    pub(crate) fn parse(parameters: &Parameters) -> Result<Option<Self>> {
        if let Some(other) = OTHERS.iter().find(|name| parameters.contains_key(**name)) {
            return Err(Error::invalid_query(format!(
                "\"{other}\" is not supported"
            )));
        }
        let (width, height) = (side(parameters, "width")?, side(parameters, "height")?);
        let fit = match parameters.get("fit").and_then(Json::as_str) {
            None if !parameters.contains_key("fit") => Fit::Cover,
            Some("cover") => Fit::Cover,
            Some("contain") => Fit::Contain,
            Some("inside") => Fit::Inside,
            Some("outside") => Fit::Outside,
            _ => {
                return Err(Error::invalid_query(
                    "\"fit\" must be one of [cover, contain, inside, outside]",
                ));
            }
        };
        Ok((width.is_some() || height.is_some()).then_some(Self { width, height, fit }))
    }

    /// Puts a picture into the frame; an empty rest of it is white where it cannot be see-through.
    pub(crate) fn apply(&self, picture: DynamicImage, is_opaque: bool) -> Result<DynamicImage> {
        let (width, height) = (u64::from(picture.width()), u64::from(picture.height()));
        let (wide, high) = match (self.width, self.height) {
            (Some(wide), Some(high)) => (u64::from(wide), u64::from(high)),
            (Some(wide), None) => {
                let wide = u64::from(wide);
                return scale(&picture, wide, share(height, wide, width));
            }
            (None, Some(high)) => {
                let high = u64::from(high);
                return scale(&picture, share(width, high, height), high);
            }
            (None, None) => return Ok(picture),
        };
        let is_wider = width * high > wide * height;
        let by_width = (wide, share(height, wide, width));
        let by_height = (share(width, high, height), high);
        let (inside, outside) = if is_wider {
            (by_width, by_height)
        } else {
            (by_height, by_width)
        };
        match self.fit {
            Fit::Inside => scale(&picture, inside.0, inside.1),
            Fit::Outside => scale(&picture, outside.0, outside.1),
            // Cut first: the picture is never made larger than the frame.
            Fit::Cover => {
                let (keep_wide, keep_high) = if is_wider {
                    (share(height, wide, high).min(width), height)
                } else {
                    (width, share(width, high, wide).min(height))
                };
                let (left, top) = ((width - keep_wide) / 2, (height - keep_high) / 2);
                let cut =
                    picture.crop_imm(small(left), small(top), small(keep_wide), small(keep_high));
                scale(&cut, wide, high)
            }
            Fit::Contain => {
                let made = scale(&picture, inside.0, inside.1)?.to_rgba8();
                let empty = if is_opaque {
                    Rgba([255; 4])
                } else {
                    Rgba([0; 4])
                };
                let mut canvas = RgbaImage::from_pixel(small(wide), small(high), empty);
                let left = wide.saturating_sub(inside.0) / 2;
                let top = high.saturating_sub(inside.1) / 2;
                let (left, top) = (i64::from(small(left)), i64::from(small(top)));
                imageops::overlay(&mut canvas, &made, left, top);
                Ok(DynamicImage::ImageRgba8(canvas))
            }
        }
    }
}

fn side(parameters: &Parameters, name: &str) -> Result<Option<u32>> {
    let Some(json) = parameters.get(name) else {
        return Ok(None);
    };
    let number = match json {
        Json::String(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        Json::Number(number) => number
            .as_u64()
            .and_then(|number| u32::try_from(number).ok()),
        _ => None,
    };
    let number = number.filter(|side| (1..=MOST).contains(side));
    number.map(Some).ok_or_else(|| {
        Error::invalid_query(format!("\"{name}\" must be a number from 1 to {MOST}"))
    })
}

/// `side` as much longer or shorter as `to` is than `from`, at least one.
fn share(side: u64, to: u64, from: u64) -> u64 {
    ((side * to + from / 2) / from.max(1)).max(1)
}

/// A length that is known to be small.
fn small(side: u64) -> u32 {
    u32::try_from(side).unwrap_or(u32::MAX)
}

fn scale(picture: &DynamicImage, wide: u64, high: u64) -> Result<DynamicImage> {
    if wide > MOST_MADE || high > MOST_MADE {
        return Err(Error::invalid_query(format!(
            "the image would have more than {MOST_MADE} pixels on a side"
        )));
    }
    let (wide, high) = (small(wide), small(high));
    let (near_wide, near_high) = (
        picture.width().min(2 * wide),
        picture.height().min(2 * high),
    );
    // What is much too large is shrunk by a method that needs no memory for it first.
    if (near_wide, near_high) == (picture.width(), picture.height()) {
        return Ok(picture.resize_exact(wide, high, FilterType::CatmullRom));
    }
    let near = picture.thumbnail_exact(near_wide, near_high);
    Ok(near.resize_exact(wide, high, FilterType::CatmullRom))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn framed(width: u32, height: u32, asked: &Json) -> Result<(u32, u32)> {
        let parameters = asked.as_object().expect("parameters");
        let frame = Frame::parse(parameters)?.expect("a frame");
        let made = frame.apply(DynamicImage::new_rgba8(width, height), false)?;
        Ok((made.width(), made.height()))
    }

    #[test]
    fn a_picture_fits_its_frame_as_it_was_asked_to() {
        let fit = |fit| {
            framed(
                400,
                200,
                &json!({"width": "100", "height": 100, "fit": fit}),
            )
            .ok()
        };

        assert_eq!(fit("cover"), Some((100, 100)));
        assert_eq!(fit("contain"), Some((100, 100)));
        assert_eq!(fit("inside"), Some((100, 50)));
        assert_eq!(fit("outside"), Some((200, 100)));
        assert_eq!(
            framed(400, 200, &json!({"width": 100})).ok(),
            Some((100, 50))
        );
        assert_eq!(
            framed(400, 200, &json!({"height": 100})).ok(),
            Some((200, 100))
        );
    }

    #[test]
    fn a_long_thin_picture_does_not_become_a_huge_one() {
        let frame = |fit| json!({"width": 2048, "height": 2048, "fit": fit});

        assert_eq!(framed(9_000, 1, &frame("cover")).ok(), Some((2048, 2048)));
        assert_eq!(framed(9_000, 1, &frame("inside")).ok(), Some((2048, 1)));
        assert!(framed(9_000, 1, &frame("outside")).is_err());
        assert!(framed(9_000, 1, &json!({"height": 2048})).is_err());
    }

    #[test]
    fn what_cannot_be_made_is_refused() {
        for asked in [
            json!({"width": "0"}),
            json!({"width": "2049"}),
            json!({"height": "-1"}),
            json!({"height": "x"}),
            json!({"width": "1", "fit": "fill"}),
            json!({"width": "1", "fit": null}),
            json!({"format": "avif"}),
        ] {
            assert!(framed(1, 1, &asked).is_err(), "{asked}");
        }
    }
}
