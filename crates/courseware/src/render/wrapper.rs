//! The element around every block (courseware.md §10.3).

use std::fmt::Write as _;

use course_model::BlockRef;
use django_compat::pyjson::{Style, dumps};
use serde_json::{Value, json};

use crate::{access, completion, runtime};

/// What a block shows, before it is wrapped.
#[derive(Debug, Clone, Default)]
pub(crate) struct Body {
    /// Its HTML.
    pub html: String,
    /// The browser function that starts it.
    pub init: Option<&'static str>,
    /// What that function is given.
    pub args: Option<Value>,
}

impl Body {
    /// HTML that nothing starts.
    pub fn plain(html: String) -> Self {
        Self {
            html,
            ..Self::default()
        }
    }

    /// HTML that a function starts.
    pub fn with(html: String, init: &'static str) -> Self {
        Self {
            html,
            init: Some(init),
            args: None,
        }
    }

    /// HTML of a type whose script is of the older kind.
    pub fn shimmed(html: String, kind: &str) -> Self {
        Self {
            html,
            init: Some("XBlockToXModuleShim"),
            args: Some(json!({ "xmodule-type": kind })),
        }
    }
}

/// Escapes text for HTML and for attributes in either quotes.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// `True` or `False`, as the platform's attributes say it.
pub(crate) fn truth(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

/// JSON as Python writes it, with letters of all languages as they are.
pub(crate) fn json_text(value: &Value) -> String {
    let style = Style {
        ensure_ascii: false,
        ..Style::DEFAULT
    };
    dumps(value, style)
}

/// The class that styles name a block of an older type by.
fn module_class(block_type: &str) -> Option<&'static str> {
    Some(match block_type {
        "html" => "HtmlBlock",
        "about" => "AboutBlock",
        "static_tab" => "StaticTabBlock",
        "course_info" => "CourseInfoBlock",
        "problem" => "ProblemBlock",
        "video" => "VideoBlock",
        "sequential" => "SequenceBlock",
        "chapter" => "SectionBlock",
        "course" => "CourseBlock",
        "lti" => "LTIBlock",
        "annotatable" => "AnnotatableBlock",
        "poll_question" => "PollBlock",
        "word_cloud" => "WordCloudBlock",
        "conditional" => "ConditionalBlock",
        _ => return None,
    })
}

/// What the wrapper says about a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wrapping<'a> {
    /// `student_view` or `public_view`.
    pub view: &'a str,
    /// Ties the blocks of one answer together.
    pub request_token: &'a str,
    /// Whether the block is to be marked complete once it was in view.
    pub mark_on_view: bool,
}

/// Wraps a block.
pub(crate) fn wrap(block: BlockRef<'_>, body: &Body, how: Wrapping<'_>) -> String {
    let kind = block.block_type();
    let view = how.view;
    let usage = block.usage_key();
    let mut out = String::with_capacity(body.html.len() + 640);
    let _ = write!(
        out,
        "<div class=\"xblock xblock-{view} xblock-{view}-{}",
        escape(kind)
    );
    if let Some(class) = module_class(kind) {
        let _ = write!(out, " xmodule_display xmodule_{class}");
    }
    let _ = write!(
        out,
        "\" data-course-id=\"{}\"",
        escape(&runtime::course_text(usage.course_key()))
    );
    if how.mark_on_view {
        let _ = write!(
            out,
            " data-mark-completed-on-view-after-delay=\"{}\"",
            completion::VIEW_DELAY
        );
    }
    if let Some(init) = body.init {
        let _ = write!(
            out,
            " data-init=\"{init}\" data-runtime-class=\"LmsRuntime\" data-runtime-version=\"1\""
        );
    }
    let _ = writeln!(
        out,
        " data-block-type=\"{}\" data-usage-id=\"{}\" data-request-token=\"{}\" data-graded=\"{}\" data-has-score=\"{}\">",
        escape(kind),
        escape(&opaque_keys::quote_slashes(&usage.to_string())),
        how.request_token,
        truth(block.flag("graded")),
        truth(access::has_score(block)),
    );
    if let Some(args) = &body.args {
        let _ = write!(
            out,
            "<script type=\"json/xblock-args\" class=\"xblock-json-init-args\">\n{}\n</script>\n",
            json_text(args).replace("</", "<\\/")
        );
    }
    out.push_str(&body.html);
    out.push_str("\n</div>\n");
    out
}
