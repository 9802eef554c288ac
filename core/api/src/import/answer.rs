//! What the document says of an import's answer.

use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchema, Registry};

use super::LINES;
use crate::envelope::{JSON_TYPE, inline};

/// What came of a file.
pub(super) struct Imported(pub(super) Response);

impl IntoResponse for Imported {
    fn into_response(self) -> Response {
        self.0
    }
}

impl ApiResponse for Imported {
    fn meta() -> MetaResponses {
        let number = || inline(MetaSchema::new_with_format("integer", "int64"));
        let list = MetaSchema {
            items: Some(Box::new(inline(MetaSchema::new("object")))),
            ..MetaSchema::new("array")
        };
        let next = MetaSchema {
            nullable: true,
            ..MetaSchema::new_with_format("integer", "int64")
        };
        let data = MetaSchema {
            required: vec![
                "dry_run", "rows", "created", "updated", "skipped", "failed", "errors",
            ],
            properties: vec![
                ("dry_run", inline(MetaSchema::new("boolean"))),
                ("rows", number()),
                ("created", number()),
                ("updated", number()),
                ("skipped", number()),
                ("failed", number()),
                ("next_row", inline(next)),
                ("errors", inline(list)),
            ],
            ..MetaSchema::new("object")
        };
        let envelope = MetaSchema {
            required: vec!["data"],
            properties: vec![("data", inline(data))],
            ..MetaSchema::new("object")
        };
        MetaResponses {
            responses: vec![MetaResponse {
                description: "What came of it: counts, and the first 1,000 rows that were refused.",
                status: Some(200),
                status_range: None,
                content: vec![
                    MetaMediaType {
                        content_type: JSON_TYPE,
                        schema: inline(envelope),
                    },
                    MetaMediaType {
                        content_type: LINES,
                        schema: inline(MetaSchema::new("string")),
                    },
                ],
                headers: Vec::new(),
            }],
        }
    }

    fn register(_: &mut Registry) {}
}
