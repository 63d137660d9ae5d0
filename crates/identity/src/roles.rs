//! Roles in courses and organizations (contracts/identity.md §11).

use db::{Db, params};
use opaque_keys::CourseKey;

use crate::{Result, Viewer};

/// Names of course roles (student_courseaccessrole.role).
pub mod names {
    /// Course staff.
    pub const STAFF: &str = "staff";
    /// Course instructor ("admin" of the course team).
    pub const INSTRUCTOR: &str = "instructor";
    /// Staff without Studio.
    pub const LIMITED_STAFF: &str = "limited_staff";
    /// Sees content early.
    pub const BETA_TESTERS: &str = "beta_testers";
    /// Downloads data.
    pub const DATA_RESEARCHER: &str = "data_researcher";
    /// Reads a library.
    pub const LIBRARY_USER: &str = "library_user";
    /// Makes custom courses.
    pub const CCX_COACH: &str = "ccx_coach";
    /// May create courses in an organization.
    pub const ORG_COURSE_CREATOR: &str = "org_course_creator_group";
    /// May create courses.
    pub const COURSE_CREATOR: &str = "course_creator_group";
    /// Support staff.
    pub const SUPPORT: &str = "support";
}

/// Names of forum roles.
pub mod forum_names {
    /// Every learner.
    pub const STUDENT: &str = "Student";
    /// Community TA.
    pub const COMMUNITY_TA: &str = "Community TA";
    /// Moderator.
    pub const MODERATOR: &str = "Moderator";
    /// Moderator of a cohort.
    pub const GROUP_MODERATOR: &str = "Group Moderator";
    /// Administrator.
    pub const ADMINISTRATOR: &str = "Administrator";
}

/// One row of student_courseaccessrole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessRole {
    /// Organization, empty for a global role.
    pub org: String,
    /// Course key, empty for a role in a whole organization.
    pub course_id: String,
    /// Role name.
    pub role: String,
}

/// Bits of Studio's permissions.
pub mod studio {
    /// Nothing.
    pub const NONE: u8 = 0;
    /// View the team.
    pub const VIEW_USERS: u8 = 1;
    /// Edit content.
    pub const EDIT_CONTENT: u8 = 2;
    /// View content.
    pub const VIEW_CONTENT: u8 = 4;
    /// Edit the team.
    pub const EDIT_ROLES: u8 = 8;
    /// All of it.
    pub const ALL: u8 = 15;
}

/// Everything that roles say about one viewer, loaded with one statement. Checks are exact: role, course and
/// organization must match as stored; they need an active user.
#[derive(Debug, Clone, Default)]
pub struct Roles {
    is_staff: bool,
    is_superuser: bool,
    rows: Vec<AccessRole>,
    forum: Vec<(String, String)>,
}

impl Roles {
    /// Roles of someone who has none.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Loads a viewer's roles. Anonymous and inactive viewers have none, and cost no statement.
    pub async fn load(db: &Db, viewer: &Viewer) -> Result<Self> {
        let Some(id) = viewer.id.filter(|_| viewer.is_active) else {
            return Ok(Self::none());
        };
        let rows = db
            .read(
                "SELECT 'access' AS kind, org, course_id, role FROM student_courseaccessrole \
                 WHERE user_id = ? \
                 UNION ALL \
                 SELECT 'forum' AS kind, '' AS org, r.course_id, r.name AS role \
                 FROM django_comment_client_role_users u \
                 JOIN django_comment_client_role r ON r.id = u.role_id WHERE u.user_id = ?",
                &params![id, id],
            )
            .await?;
        let mut roles = Self {
            is_staff: viewer.is_staff,
            is_superuser: viewer.is_superuser,
            ..Self::default()
        };
        for row in &rows {
            let (course_id, role) = (row.text("course_id")?, row.text("role")?);
            if row.text("kind")? == "access" {
                roles.rows.push(AccessRole {
                    org: row.text("org")?,
                    course_id,
                    role,
                });
            } else {
                roles.forum.push((course_id, role));
            }
        }
        Ok(roles)
    }

    /// Roles made of given rows: what tests and imports need.
    #[must_use]
    pub fn of(viewer: &Viewer, rows: Vec<AccessRole>, forum: Vec<(String, String)>) -> Self {
        if viewer.is_anonymous() || !viewer.is_active {
            return Self::none();
        }
        Self {
            is_staff: viewer.is_staff,
            is_superuser: viewer.is_superuser,
            rows,
            forum,
        }
    }

    /// The rows of student_courseaccessrole.
    #[must_use]
    pub fn rows(&self) -> &[AccessRole] {
        &self.rows
    }

    /// auth_user.is_staff of an active user.
    #[must_use]
    pub fn is_global_staff(&self) -> bool {
        self.is_staff
    }

    /// auth_user.is_superuser of an active user.
    #[must_use]
    pub fn is_superuser(&self) -> bool {
        self.is_superuser
    }

    /// Whether the viewer has a role in this very course (not through the organization).
    #[must_use]
    pub fn in_course(&self, role: &str, course: &CourseKey) -> bool {
        let id = records::keys::course_text(course);
        self.rows
            .iter()
            .any(|row| row.role == role && row.course_id == id && row.org == course.org())
    }

    /// Whether the viewer has a role in an organization.
    #[must_use]
    pub fn in_org(&self, role: &str, org: &str) -> bool {
        self.rows
            .iter()
            .any(|row| row.role == role && row.course_id.is_empty() && row.org == org)
    }

    /// Whether the viewer has a role everywhere.
    #[must_use]
    pub fn is_global(&self, role: &str) -> bool {
        self.rows
            .iter()
            .any(|row| row.role == role && row.course_id.is_empty() && row.org.is_empty())
    }

    /// Course staff: global staff, staff (limited staff counts) or instructor of the course or its organization.
    #[must_use]
    pub fn has_staff_access(&self, course: &CourseKey) -> bool {
        self.has_instructor_access(course)
            || self.in_course(names::STAFF, course)
            || self.in_course(names::LIMITED_STAFF, course)
            || self.in_org(names::STAFF, course.org())
    }

    /// Course instructor: global staff, or instructor of the course or its organization.
    #[must_use]
    pub fn has_instructor_access(&self, course: &CourseKey) -> bool {
        self.is_staff
            || self.in_course(names::INSTRUCTOR, course)
            || self.in_org(names::INSTRUCTOR, course.org())
    }

    /// Whether the viewer tests the course before its start.
    #[must_use]
    pub fn is_beta_tester(&self, course: &CourseKey) -> bool {
        self.in_course(names::BETA_TESTERS, course)
    }

    /// Whether the viewer may see support pages.
    #[must_use]
    pub fn has_support_access(&self) -> bool {
        self.is_staff || self.is_global(names::SUPPORT)
    }

    /// The "staff roles" helper: course staff, instructors, beta testers, and forum teams.
    #[must_use]
    pub fn has_any_team_role(&self, course: &CourseKey) -> bool {
        self.has_staff_access(course)
            || self.is_beta_tester(course)
            || [
                forum_names::COMMUNITY_TA,
                forum_names::GROUP_MODERATOR,
                forum_names::MODERATOR,
                forum_names::ADMINISTRATOR,
            ]
            .iter()
            .any(|role| self.in_forum(role, course))
    }

    /// Whether the viewer has a forum role in a course.
    #[must_use]
    pub fn in_forum(&self, role: &str, course: &CourseKey) -> bool {
        let id = records::keys::course_text(course);
        self.forum
            .iter()
            .any(|(course_id, name)| *course_id == id && name == role)
    }

    /// Studio's permission bits in a course or library (see [`studio`]).
    #[must_use]
    pub fn studio_permissions(&self, course: &CourseKey) -> u8 {
        if course.to_string().starts_with("ccx-v1:") {
            return studio::NONE;
        }
        if self.has_instructor_access(course) {
            return studio::ALL;
        }
        if self.in_course(names::STAFF, course) || self.in_org(names::STAFF, course.org()) {
            return studio::VIEW_USERS | studio::EDIT_CONTENT | studio::VIEW_CONTENT;
        }
        if course.is_library()
            && (self.in_course(names::LIBRARY_USER, course)
                || self.in_org(names::LIBRARY_USER, course.org()))
        {
            return studio::VIEW_USERS | studio::VIEW_CONTENT;
        }
        studio::NONE
    }
}

/// Gives a user a role in a course; nothing happens if the user has it.
///
/// # Errors
/// [`crate::Error::MissingRow`] when there is no such user.
pub async fn grant_course_role(
    db: &Db,
    username: &str,
    course: &CourseKey,
    role: &str,
) -> Result<()> {
    let user = records::users::by_username(db, username).await?;
    let user = user.ok_or(crate::Error::MissingRow("auth_user"))?;
    let id = records::keys::course_text(course);
    let id = id.as_str();
    db.write(|mut tx| async move {
        records::roles::add(&mut tx, user.id, course.org(), id, role).await
    })
    .await?;
    Ok(())
}

/// Takes a role in a course away; whether the user had it.
///
/// # Errors
/// [`crate::Error::MissingRow`] when there is no such user.
pub async fn revoke_course_role(
    db: &Db,
    username: &str,
    course: &CourseKey,
    role: &str,
) -> Result<bool> {
    let user = records::users::by_username(db, username).await?;
    let user = user.ok_or(crate::Error::MissingRow("auth_user"))?;
    let id = records::keys::course_text(course);
    let id = id.as_str();
    let had = db
        .write(|mut tx| async move {
            records::roles::remove(&mut tx, user.id, course.org(), id, role).await
        })
        .await?;
    Ok(had)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(role: &str, org: &str, course_id: &str) -> Roles {
        let viewer = Viewer {
            id: Some(1),
            is_active: true,
            ..Viewer::anonymous()
        };
        let row = AccessRole {
            org: org.into(),
            course_id: course_id.into(),
            role: role.into(),
        };
        Roles::of(&viewer, vec![row], Vec::new())
    }

    /// contracts/identity.md §11: course, organization and global roles.
    #[test]
    fn levels() {
        let course = CourseKey::parse("course-v1:A+B+C").unwrap();
        let staff = roles("staff", "A", "course-v1:A+B+C");
        assert!(staff.has_staff_access(&course) && !staff.has_instructor_access(&course));
        assert_eq!(staff.studio_permissions(&course), 7);
        let org = roles("instructor", "A", "");
        assert!(org.has_instructor_access(&course));
        assert_eq!(org.studio_permissions(&course), 15);
        assert!(!roles("staff", "", "").has_staff_access(&course));
        assert!(!roles("staff", "a", "course-v1:A+B+C").has_staff_access(&course));
        let limited = roles("limited_staff", "A", "course-v1:A+B+C");
        assert!(limited.has_staff_access(&course));
        assert_eq!(limited.studio_permissions(&course), 0);
        assert!(roles("beta_testers", "A", "course-v1:A+B+C").is_beta_tester(&course));
        let inactive = Viewer {
            id: Some(1),
            is_staff: true,
            ..Viewer::anonymous()
        };
        assert!(!Roles::of(&inactive, Vec::new(), Vec::new()).has_staff_access(&course));
    }
}
