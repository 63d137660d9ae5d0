//! Anonymous ids of users (contracts/identity.md §5 "sub").

use db::params;
use opaque_keys::CourseKey;
use records::users;

use crate::{Identity, Result};

impl Identity {
    /// The id that stands for a user in a course, or without course: the stored row with the highest id, else the
    /// derived one, which is then stored.
    pub async fn anonymous_user_id(
        &self,
        user_id: i64,
        course: Option<&CourseKey>,
    ) -> Result<String> {
        let course = course.map(records::keys::course_text).unwrap_or_default();
        let stored = self
            .db()
            .read_one(
                "SELECT anonymous_user_id FROM student_anonymoususerid \
                 WHERE user_id = ? AND course_id = ? ORDER BY id DESC LIMIT 1",
                &params![user_id, &course],
            )
            .await?;
        if let Some(row) = stored {
            return Ok(row.text("anonymous_user_id")?);
        }
        let id = django_compat::ids::anonymous_user_id(
            &self.settings().secret_key,
            user_id,
            Some(&course),
        );
        let (course, id) = (&course, &id);
        self.db()
            .write(|mut tx| async move {
                users::save_anonymous_id(&mut tx, user_id, course, id).await
            })
            .await?;
        Ok(id.clone())
    }
}
