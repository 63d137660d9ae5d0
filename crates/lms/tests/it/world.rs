//! A small site: people, courses, and a client that speaks to the router in process.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use blobs::Blobs;
use chrono::{DateTime, Utc};
use course_model::{Block, BlockKey, CourseContent};
use courseware::Runtime;
use db::{Counts, Db, params};
use identity::{Identity, NewUser, User};
use lms::clock::Now;
use lms::{LmsSettings, LmsState};
use modulestore::documents::Stamp;
use modulestore::split::CourseImport;
use modulestore::{CacheSizes, ModuleStore};
use opaque_keys::CourseKey;
use records::course_overviews::{self, CourseOverview};
use records::history::Author;
use records::testing::{self, TestDb};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;
use web_kit::WebKit;

pub const COURSE: &str = "course-v1:Acme+Bio+R1";

/// A moment at which the test courses run.
pub fn now() -> DateTime<Utc> {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

pub struct World {
    pub db: Db,
    pub store: ModuleStore,
    pub identity: Identity,
    pub blobs: Blobs,
    router: Router,
    _file: TestDb,
    _files: TempDir,
}

pub struct Reply {
    pub status: StatusCode,
    pub headers: axum::http::HeaderMap,
    pub text: String,
    pub counts: Counts,
}

/// A CSRF secret.
const CSRF: &str = "abcdefghijklmnopqrstuvwxyz012345";

/// Fields as a form body.
pub fn form(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
}

impl Reply {
    /// Where a redirect leads.
    pub fn location(&self) -> &str {
        self.headers
            .get("location")
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// Names of the cookies that are set, and whether each is deleted.
    pub fn cookies(&self) -> Vec<(String, bool)> {
        self.headers
            .get_all("set-cookie")
            .iter()
            .map(|value| {
                let text = value.to_str().unwrap();
                let name = text.split('=').next().unwrap_or_default();
                (name.to_owned(), text.contains("Max-Age=0"))
            })
            .collect()
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }
}

impl World {
    pub async fn new() -> Self {
        let file = testing::sqlite().await.unwrap();
        let db = file.db.clone();
        let store = ModuleStore::embedded(db.clone(), CacheSizes::default())
            .await
            .unwrap();
        let settings = identity::Settings {
            secret_key: "secret".into(),
            password_iterations: 1,
            prevent_concurrent_logins: false,
            ..identity::Settings::default()
        };
        let identity = Identity::new(db.clone(), settings).unwrap();
        let kit = WebKit::new(web_kit::Settings::default(), &[lms::pages::templates()]).unwrap();
        let settings = LmsSettings::default();
        let files = tempfile::tempdir().unwrap();
        let blobs = Blobs::folder(files.path());
        let runtime = Runtime::new(
            db.clone(),
            store.clone(),
            blobs.clone(),
            identity.clone(),
            settings.runtime(),
            None,
        );
        let state = LmsState {
            db: db.clone(),
            store: store.clone(),
            identity: identity.clone(),
            settings: Arc::new(settings),
            runtime,
            kit,
        };
        Self {
            db,
            store,
            identity,
            blobs,
            router: lms::app(state),
            _file: file,
            _files: files,
        }
    }

    pub async fn sql(&self, sql: &str) {
        self.db.execute(sql, &params![]).await.unwrap();
    }

    pub async fn user(&self, name: &str, is_staff: bool) -> User {
        let new = NewUser {
            username: name.into(),
            email: format!("{name}@example.com"),
            password: Some("x".into()),
            is_active: true,
            is_staff,
            ..NewUser::default()
        };
        self.identity.create_user(&new, now()).await.unwrap()
    }

    pub async fn enroll(&self, user: &User, course: &str, mode: &str) {
        let sql = "INSERT INTO student_courseenrollment (course_id, created, is_active, mode, user_id) \
                   VALUES (?, '2026-01-01 00:00:00', 1, ?, ?)";
        self.db
            .execute(sql, &params![course, mode, user.id])
            .await
            .unwrap();
    }

    pub async fn role(&self, user: &User, role: &str) {
        let sql = "INSERT INTO student_courseaccessrole (org, course_id, role, user_id) VALUES ('Acme', ?, ?, ?)";
        self.db
            .execute(sql, &params![COURSE, role, user.id])
            .await
            .unwrap();
    }

    /// Makes a course of blocks: key, fields, children. Settings and content are told apart by the block types.
    pub async fn course(&self, key: &str, blocks: &[(&str, Value, &[&str])]) {
        let course = CourseKey::parse(key).unwrap();
        let mut content = CourseContent {
            root: BlockKey::course_root(),
            blocks: indexmap::IndexMap::new(),
        };
        for (key, fields, children) in blocks {
            let key: BlockKey = key.parse().unwrap();
            let mut block = Block::new(key.clone());
            let kind = course_model::block_type(&key.block_type);
            for (name, value) in fields.as_object().unwrap() {
                let scope = kind
                    .and_then(|kind| kind.field(name))
                    .map(|field| field.scope);
                let fields = if scope == Some(course_model::Scope::Content) {
                    &mut block.content
                } else {
                    &mut block.settings
                };
                fields.insert(name.clone(), value.clone());
            }
            block.children = children.iter().map(|key| key.parse().unwrap()).collect();
            content.blocks.insert(key, block);
        }
        let import = CourseImport {
            target: &course,
            create: true,
            published: &content,
            draft: &content,
            assets: Vec::new(),
        };
        self.store
            .import_course(import, Stamp::new(-1, now()))
            .await
            .unwrap();
    }

    pub async fn overview(&self, overview: CourseOverview) {
        let moment = now().naive_utc();
        let course = CourseKey::parse(&overview.id).unwrap();
        let overview = CourseOverview {
            created: moment,
            modified: moment,
            version: 19,
            location: format!("block-v1:{}", overview.id),
            display_number_with_default: course.course().to_owned(),
            display_org_with_default: course.org().to_owned(),
            org: course.org().to_owned(),
            pre_requisite_courses_json: "[]".into(),
            ..overview
        };
        let overview = &overview;
        self.db
            .write(|mut tx| async move {
                let author = Author::nobody(now().naive_utc());
                course_overviews::save(&mut tx, overview, &author).await
            })
            .await
            .unwrap();
    }

    /// The cookie of a signed-in user.
    pub async fn session(&self, user: &User) -> String {
        let session = self
            .identity
            .start_login(None, user, 0, now())
            .await
            .unwrap();
        let cookie = self
            .identity
            .session_cookie(&session, now())
            .unwrap()
            .unwrap();
        format!("{}={}", cookie.name, cookie.value)
    }

    pub async fn get(&self, cookie: &str, path: &str) -> Reply {
        self.get_with(&[("cookie", cookie)], path).await
    }

    pub async fn get_with(&self, headers: &[(&str, &str)], path: &str) -> Reply {
        self.send("GET", headers, path).await
    }

    /// Posts as a signed-in person, with the token that browsers send along.
    pub async fn post(&self, cookie: &str, path: &str, kind: &str, body: &str) -> Reply {
        let cookies = format!("{cookie}; csrftoken={CSRF}");
        let headers = [
            ("cookie", cookies.as_str()),
            ("content-type", kind),
            ("x-csrftoken", CSRF),
        ];
        self.send_body("POST", &headers, path, body.to_owned())
            .await
    }

    /// Posts a form that is written out.
    pub async fn post_text(&self, cookie: &str, path: &str, body: &str) -> Reply {
        let kind = "application/x-www-form-urlencoded";
        self.post(cookie, path, kind, body).await
    }

    /// Posts JSON.
    pub async fn post_json(&self, cookie: &str, path: &str, body: &Value) -> Reply {
        let text = body.to_string();
        self.post(cookie, path, "application/json", &text).await
    }

    pub async fn send(&self, method: &str, headers: &[(&str, &str)], path: &str) -> Reply {
        self.send_body(method, headers, path, String::new()).await
    }

    /// Posts a form as a page would, with a CSRF token beside the other cookies.
    pub async fn post_form(&self, cookie: &str, path: &str, fields: &[(&str, &str)]) -> Reply {
        self.post_text(cookie, path, &form(fields)).await
    }

    pub async fn send_body(
        &self,
        method: &str,
        headers: &[(&str, &str)],
        path: &str,
        body: String,
    ) -> Reply {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "lms.example");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::from(body)).unwrap();
        request.extensions_mut().insert(Now(now()));
        let answering = self.router.clone().oneshot(request);
        let (response, counts) = db::counting(answering).await;
        let (parts, body) = response.unwrap().into_parts();
        let body = axum::body::to_bytes(body, 10_000_000).await.unwrap();
        Reply {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8_lossy(&body).into_owned(),
            counts,
        }
    }
}

/// A course with one of everything that access decides.
pub async fn bio() -> World {
    let world = World::new().await;
    let problem = |name: &str| {
        json!({
            "display_name": name,
            "data": "<problem><multiplechoiceresponse/></problem>",
        })
    };
    let usage = |key: &str| format!("block-v1:Acme+Bio+R1+type@{}", key.replace('@', "+block@"));
    world
        .course(
            COURSE,
            &[
                (
                    "course@course",
                    json!({
                        "display_name": "Biology",
                        "start": "2026-01-01T00:00:00Z",
                        "user_partitions": [
                            {"id": 100, "name": "Split", "scheme": "random", "active": true, "version": 3,
                             "description": "", "parameters": {},
                             "groups": [{"id": 0, "name": "A", "version": 1}, {"id": 1, "name": "B", "version": 1}]},
                            {"id": 101, "name": "Content", "scheme": "cohort", "active": true, "version": 3,
                             "description": "", "parameters": {},
                             "groups": [{"id": 1, "name": "X", "version": 1}]},
                        ],
                    }),
                    &["chapter@c"],
                ),
                ("chapter@c", json!({"display_name": "One"}), &["sequential@s", "sequential@later"]),
                (
                    "sequential@s",
                    json!({"display_name": "S", "graded": true, "format": "Homework"}),
                    &["vertical@v", "vertical@hidden", "vertical@x"],
                ),
                (
                    "vertical@v",
                    json!({"display_name": "V"}),
                    &["html@h", "split_test@st", "problem@p", "library_content@lc", "discussion@d"],
                ),
                ("html@h", json!({"display_name": "H", "data": "<p>h</p>"}), &[]),
                (
                    "split_test@st",
                    json!({
                        "user_partition_id": 100,
                        "group_id_to_child": {"0": usage("html@a"), "1": usage("html@b")},
                    }),
                    &["html@a", "html@b"],
                ),
                ("html@a", json!({"display_name": "A"}), &[]),
                ("html@b", json!({"display_name": "B"}), &[]),
                ("problem@p", problem("P"), &[]),
                (
                    "library_content@lc",
                    json!({"max_count": 2}),
                    &["problem@l1", "problem@l2", "problem@l3", "problem@l4"],
                ),
                ("problem@l1", problem("L1"), &[]),
                ("problem@l2", problem("L2"), &[]),
                ("problem@l3", problem("L3"), &[]),
                ("problem@l4", problem("L4"), &[]),
                ("discussion@d", json!({"discussion_id": "topic"}), &[]),
                ("vertical@hidden", json!({"visible_to_staff_only": true}), &["html@in_hidden"]),
                ("html@in_hidden", json!({"visible_to_staff_only": false}), &[]),
                ("vertical@x", json!({"group_access": {"101": [1]}}), &["html@in_x"]),
                ("html@in_x", json!({}), &[]),
                (
                    "sequential@later",
                    json!({"start": "2027-01-01T00:00:00Z"}),
                    &["vertical@in_later"],
                ),
                ("vertical@in_later", json!({}), &[]),
            ],
        )
        .await;
    world
}
