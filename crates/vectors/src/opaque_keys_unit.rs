//! Unit `opaque_keys`.

use opaque_keys::{
    AnyUsageKey, AsideUsageKey, AsideVersion, AssetKey, BlockTypeKey, BundleVersion, CollectionKey,
    ContainerKey, CourseKey, DefinitionKey, InvalidKeyError, LearningContextKey, LibraryKeyV2,
    UsageKey,
};
use serde_json::{Value, json};

use crate::Answer;

/// A key of any family.
enum Key {
    Context(LearningContextKey),
    Usage(AnyUsageKey),
    Asset(AssetKey),
    Definition(DefinitionKey),
    Container(ContainerKey),
    Collection(CollectionKey),
    BlockType(BlockTypeKey),
}

fn name(_: InvalidKeyError) -> String {
    "InvalidKeyError".to_owned()
}

fn none<T>() -> Result<T, String> {
    Err("AttributeError".to_owned())
}

fn parse(family: &str, text: &str) -> Result<Key, String> {
    match family {
        "context" => LearningContextKey::parse(text).map(Key::Context),
        "course" => CourseKey::parse(text)
            .map(LearningContextKey::Course)
            .map(Key::Context),
        "usage" => AnyUsageKey::parse(text).map(Key::Usage),
        "asset" => AssetKey::parse(text).map(Key::Asset),
        "definition" => DefinitionKey::parse(text).map(Key::Definition),
        "container" => ContainerKey::parse(text).map(Key::Container),
        "collection" => CollectionKey::parse(text).map(Key::Collection),
        "block_type" => BlockTypeKey::parse(text).map(Key::BlockType),
        _ => return Err(format!("no family {family}")),
    }
    .map_err(name)
}

fn course_text(key: &CourseKey) -> Value {
    if key.is_printable() {
        json!(key.to_string())
    } else {
        Value::Null
    }
}

fn course_fields(key: &CourseKey) -> Value {
    let (org, course, run) = key.has_names();
    let written = |there: bool, text: &str| there.then(|| text.to_owned());
    let mut out = json!({
        "namespace": key.namespace(),
        "deprecated": key.is_deprecated(),
        "text": course_text(key),
        "org": written(org, key.org()),
    });
    if key.is_library() {
        out["library"] = json!(written(course, key.course()));
    } else {
        out["course"] = json!(written(course, key.course()));
        out["run"] = json!(written(run, key.run()));
    }
    out["branch"] = json!(key.branch());
    out["version_guid"] = json!(key.version());
    if let Some(ccx) = key.ccx() {
        out["ccx"] = json!(ccx);
    }
    out
}

fn library_fields(key: &LibraryKeyV2) -> Value {
    json!({"namespace": "lib", "deprecated": false, "text": key.to_string(),
        "org": key.org(), "slug": key.slug()})
}

fn usage_fields(key: &AnyUsageKey) -> Value {
    match key {
        AnyUsageKey::Block(key) => {
            let course = course_fields(key.course_key());
            let course_name = if key.namespace() == "lib-block-v1" {
                "library_key"
            } else {
                "course_key"
            };
            json!({"namespace": key.namespace(), "deprecated": key.is_deprecated(),
                "text": key.to_string(), course_name: course,
                "block_type": key.written_block_type(), "block_id": key.block_id()})
        }
        AnyUsageKey::LibraryV2(key) => json!({"namespace": "lb", "deprecated": false,
            "text": key.to_string(), "lib_key": library_fields(key.library_key()),
            "block_type": key.block_type(), "usage_id": key.usage_id()}),
        AnyUsageKey::Aside(key) => json!({"namespace": key.namespace(), "deprecated": false,
            "text": key.to_string(), "usage_key": usage_fields(key.usage_key()),
            "aside_type": key.aside_type()}),
    }
}

fn definition_fields(key: &DefinitionKey) -> Value {
    let mut out =
        json!({"namespace": key.namespace(), "deprecated": false, "text": key.to_string()});
    match key {
        DefinitionKey::Definition {
            definition_id,
            block_type,
        } => {
            out["definition_id"] = json!(definition_id);
            out["block_type"] = json!(block_type);
        }
        DefinitionKey::Bundle {
            bundle_uuid,
            version,
            block_type,
            olx_path,
        } => {
            out["bundle_uuid"] = json!(bundle_uuid);
            out["block_type"] = json!(block_type);
            out["olx_path"] = json!(olx_path);
            out["_version_or_draft"] = match version {
                BundleVersion::Number(number) => json!(number),
                BundleVersion::Draft(name) => json!(name),
            };
        }
        DefinitionKey::Aside {
            definition_key,
            aside_type,
            ..
        } => {
            out["definition_key"] = definition_fields(definition_key);
            out["aside_type"] = json!(aside_type);
        }
    }
    out
}

fn fields(key: &Key) -> Value {
    match key {
        Key::Context(LearningContextKey::Course(key)) => course_fields(key),
        Key::Context(LearningContextKey::LibraryV2(key)) => library_fields(key),
        Key::Usage(key) => usage_fields(key),
        Key::Asset(key) => json!({"namespace": "asset-v1", "deprecated": key.is_deprecated(),
            "text": key.to_string(), "course_key": course_fields(key.course_key()),
            "block_type": key.written_asset_type(), "block_id": key.path()}),
        Key::Definition(key) => definition_fields(key),
        Key::Container(key) => json!({"namespace": "lct", "deprecated": false,
            "text": key.to_string(), "lib_key": library_fields(key.library_key()),
            "container_type": key.container_type(), "container_id": key.container_id()}),
        Key::Collection(key) => json!({"namespace": "lib-collection", "deprecated": false,
            "text": key.to_string(), "lib_key": library_fields(key.library_key()),
            "collection_id": key.collection_id()}),
        Key::BlockType(key) => json!({"namespace": "block-type-v1",
            "deprecated": key.is_deprecated(), "text": key.to_string(),
            "block_family": key.family(), "block_type": key.block_type()}),
    }
}

fn merge(mut into: Value, from: Value) -> Value {
    if let (Some(into), Value::Object(from)) = (into.as_object_mut(), from) {
        into.extend(from);
    }
    into
}

fn course_parts(key: &CourseKey) -> Value {
    let (org, course, run) = key.has_names();
    let written = |there: bool, text: &str| there.then(|| text.to_owned());
    json!({"org": written(org, key.org()), "course": written(course, key.course()),
        "run": written(run, key.run()), "branch": key.branch()})
}

fn properties(key: &Key) -> Value {
    match key {
        Key::Context(LearningContextKey::Course(key)) => {
            let mut out = merge(course_parts(key), json!({"is_course": !key.is_library()}));
            if key.is_library() {
                out["library"] = out["course"].clone();
            }
            out
        }
        Key::Context(LearningContextKey::LibraryV2(key)) => {
            json!({"org": key.org(), "slug": key.slug(), "is_course": false})
        }
        Key::Usage(AnyUsageKey::Block(key)) => {
            let course = course_text(key.course_key());
            merge(
                course_parts(key.course_key()),
                json!({"block_type": key.written_block_type(), "block_id": key.block_id(),
                    "course_key": course, "context_key": course}),
            )
        }
        Key::Usage(AnyUsageKey::LibraryV2(key)) => {
            let library = key.library_key().to_string();
            json!({"block_type": key.block_type(), "block_id": key.usage_id(),
                "course_key": library, "context_key": library, "lib_key": library})
        }
        Key::Usage(AnyUsageKey::Aside(key)) => {
            let inner = properties(&Key::Usage(key.usage_key().clone()));
            json!({"block_type": inner["block_type"], "block_id": inner["block_id"],
                "aside_type": key.aside_type(), "course_key": inner["course_key"],
                "context_key": inner["context_key"]})
        }
        Key::Asset(key) => {
            let course = course_text(key.course_key());
            merge(
                course_parts(key.course_key()),
                json!({"block_type": key.written_asset_type(), "block_id": key.path(),
                    "asset_type": key.written_asset_type(), "path": key.path(),
                    "course_key": course, "context_key": course}),
            )
        }
        Key::Definition(DefinitionKey::Aside {
            definition_key,
            aside_type,
            ..
        }) => {
            json!({"block_type": definition_key.block_type(), "aside_type": aside_type})
        }
        Key::Definition(key) => json!({"block_type": key.block_type()}),
        Key::Container(key) => {
            let library = key.library_key().to_string();
            json!({"org": key.library_key().org(), "context_key": library, "lib_key": library})
        }
        Key::Collection(key) => {
            let library = key.library_key().to_string();
            json!({"org": key.library_key().org(), "context_key": library, "lib_key": library})
        }
        Key::BlockType(key) => json!({"block_type": key.block_type()}),
    }
}

/// The operations that change the course key: on a context, usage or asset key.
fn changed(
    key: &Key,
    course: impl Fn(&CourseKey) -> Result<CourseKey, InvalidKeyError>,
    usage: impl Fn(&UsageKey) -> Result<UsageKey, InvalidKeyError>,
    asset: impl Fn(&AssetKey) -> Result<AssetKey, InvalidKeyError>,
) -> Answer {
    match key {
        Key::Context(LearningContextKey::Course(key)) => {
            course(key).map(|key| course_text(&key)).map_err(name)
        }
        Key::Usage(AnyUsageKey::Block(key)) => {
            usage(key).map(|key| json!(key.to_string())).map_err(name)
        }
        Key::Asset(key) => asset(key).map(|key| json!(key.to_string())).map_err(name),
        _ => none(),
    }
}

fn html_id(key: &Key) -> Answer {
    Ok(json!(match key {
        Key::Context(LearningContextKey::Course(key)) if key.is_printable() => key.html_id(),
        Key::Usage(AnyUsageKey::Block(key)) => key.html_id(),
        Key::Usage(AnyUsageKey::LibraryV2(key)) => key.html_id(),
        Key::Asset(key) => key.html_id(),
        _ => return none(),
    }))
}

fn map_into_course(key: &Key, course: &CourseKey) -> Answer {
    match key {
        Key::Usage(AnyUsageKey::Block(key)) => key
            .map_into_course(course)
            .map(|key| json!(key.to_string()))
            .map_err(name),
        Key::Usage(key) => match key.map_into_course(course) {
            Ok(key) => Ok(json!(key.to_string())),
            Err(error) => Err(name(error)),
        },
        Key::Asset(key) => key
            .map_into_course(course)
            .map(|key| json!(key.to_string()))
            .map_err(name),
        _ => none(),
    }
}

fn thumbnail_name(input: &Value, original: &str) -> Value {
    let side = |index: usize| {
        input["dimensions"][index]
            .as_u64()
            .and_then(|pixels| u32::try_from(pixels).ok())
    };
    let dimensions = side(0).zip(side(1));
    json!(opaque_keys::thumbnail_name(
        original,
        dimensions,
        input["extension"].as_str()
    ))
}

/// Answers operation `op` of this unit.
pub(crate) fn call(op: &str, input: &Value) -> Answer {
    let text = |key: &str| input.get(key).and_then(Value::as_str).unwrap_or_default();
    let course = || CourseKey::parse(text("course")).map_err(name);
    let key = || parse(text("family"), text("text"));
    match op {
        "parse" => key().map(|key| fields(&key)),
        "properties" => key().map(|key| properties(&key)),
        "html_id" => html_id(&key()?),
        "version_agnostic" => changed(
            &key()?,
            CourseKey::version_agnostic,
            UsageKey::version_agnostic,
            AssetKey::version_agnostic,
        ),
        "course_agnostic" => changed(
            &key()?,
            CourseKey::course_agnostic,
            UsageKey::course_agnostic,
            AssetKey::course_agnostic,
        ),
        "for_branch" => {
            let branch = input.get("branch").and_then(Value::as_str);
            if let (Key::Context(LearningContextKey::LibraryV2(key)), None) = (key()?, branch) {
                return Ok(json!(key.to_string()));
            }
            changed(
                &key()?,
                |key| key.for_branch(branch),
                |key| key.for_branch(branch),
                |key| key.for_branch(branch),
            )
        }
        "for_version" => {
            let version = text("version");
            changed(
                &key()?,
                |key| key.for_version(version),
                |key| key.for_version(version),
                |key| key.for_version(version),
            )
        }
        "map_into_course" => map_into_course(&key()?, &course()?),
        "with_run" => {
            let usage = UsageKey::parse(text("text")).map_err(name)?;
            let usage = usage.map_into_course(&course()?).map_err(name)?;
            Ok(
                json!({"text": usage.to_string(), "deprecated": usage.is_deprecated(),
                "course": course_text(usage.course_key())}),
            )
        }
        "equal" => {
            let (a, b) = (
                parse(text("family"), text("a"))?,
                parse(text("family"), text("b"))?,
            );
            Ok(json!(fields(&a) == fields(&b)))
        }
        "make_usage_key" => course()?
            .make_usage_key(text("block_type"), text("block_id"))
            .map(|key| json!(key.to_string()))
            .map_err(name),
        "make_asset_key" => course()?
            .make_asset_key_of_type(text("asset_type"), text("path"))
            .map(|key| json!(key.to_string()))
            .map_err(name),
        "make_aside" => {
            let usage = AnyUsageKey::parse(text("usage")).map_err(name)?;
            let version = if input["version"] == json!(1) {
                AsideVersion::V1
            } else {
                AsideVersion::V2
            };
            AsideUsageKey::new(usage, text("aside_type"), version)
                .map(|key| json!(key.to_string()))
                .map_err(|_| "ValueError".to_owned())
        }
        "asset_key_for_path" => AssetKey::for_path(&course()?, text("path"))
            .map(|key| json!(key.to_string()))
            .map_err(name),
        "asset_location" => {
            let is_thumbnail = input["is_thumbnail"] == json!(true);
            AssetKey::location(&course()?, text("path"), is_thumbnail)
                .map(|key| json!(key.to_string()))
                .map_err(name)
        }
        "thumbnail_name" => Ok(thumbnail_name(input, text("name"))),
        "quote_slashes" => Ok(json!(opaque_keys::quote_slashes(text("text")))),
        "unquote_slashes" => Ok(json!(opaque_keys::unquote_slashes(text("text")))),
        "clean" => Ok(json!(match text("mode") {
            "collapse" => opaque_keys::clean(text("text")),
            "keep_underscores" => opaque_keys::clean_keeping_underscores(text("text")),
            "url_name" => opaque_keys::clean_for_url_name(text("text")),
            "html" => opaque_keys::clean_for_html(text("text")),
            mode => return Err(format!("no mode {mode}")),
        })),
        _ => Err(format!("no operation {op}")),
    }
}
