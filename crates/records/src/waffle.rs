//! Switches and flags: `waffle_…`, `waffle_utils_…`. One statement reads them all.

use std::collections::HashMap;

use chrono::NaiveDateTime;
use db::{Result, Row, Source, Tx, params};

use crate::table::{self, table};

table! {
    /// A switch: on or off for everyone.
    Switch: "waffle_switch" {
        id: i64,
        name: String,
        active: bool,
        note: String,
        created: NaiveDateTime,
        modified: NaiveDateTime,
    }
}

table! {
    /// A flag: on for some.
    Flag: "waffle_flag" {
        id: i64,
        name: String,
        everyone: Option<bool>,
        percent: Option<f64>,
        testing: bool,
        superusers: bool,
        staff: bool,
        authenticated: bool,
        languages: String,
        rollout: bool,
        note: String,
        created: NaiveDateTime,
        modified: NaiveDateTime,
    }
}

table! {
    /// What a flag is in a course; the newest row of flag and course counts.
    CourseOverride: "waffle_utils_waffleflagcourseoverridemodel" {
        id: i64,
        change_date: NaiveDateTime,
        enabled: bool,
        waffle_flag: String,
        course_id: String,
        override_choice: String,
        changed_by_id: Option<i64>,
        note: String,
    }
}

table! {
    /// What a flag is in an organisation; the newest row of flag and organisation counts.
    OrgOverride: "waffle_utils_waffleflagorgoverridemodel" {
        id: i64,
        change_date: NaiveDateTime,
        enabled: bool,
        waffle_flag: String,
        org: String,
        override_choice: String,
        note: String,
        changed_by_id: Option<i64>,
    }
}

/// The person whom a flag is asked for.
#[derive(Debug, Clone, Default)]
pub struct Who {
    /// `auth_user.id`; none for an anonymous visitor.
    pub user_id: Option<i64>,
    /// `auth_user.is_staff`.
    pub is_staff: bool,
    /// `auth_user.is_superuser`.
    pub is_superuser: bool,
    /// Ids of the person's groups.
    pub group_ids: Vec<i64>,
}

/// Every switch and flag as it was when read.
#[derive(Debug, Clone, Default)]
pub struct Toggles {
    switches: HashMap<String, bool>,
    flags: HashMap<String, FlagState>,
    /// `None` where the newest row takes the override back.
    courses: HashMap<(String, String), Option<bool>>,
    orgs: HashMap<(String, String), Option<bool>>,
}

#[derive(Debug, Clone, Default)]
struct FlagState {
    everyone: Option<bool>,
    superusers: bool,
    staff: bool,
    authenticated: bool,
    users: Vec<i64>,
    groups: Vec<i64>,
}

/// Rows of every kind: kind, name, scope, and up to four small numbers.
const ALL: &str = "\
    SELECT 'switch' AS kind, name, '' AS scope, active AS a, 0 AS b, 0 AS c, 0 AS d, id AS age \
    FROM waffle_switch UNION ALL \
    SELECT 'flag', name, '', everyone, superusers, staff, authenticated, id FROM waffle_flag \
    UNION ALL \
    SELECT 'user', f.name, '', u.user_id, 0, 0, 0, u.id FROM waffle_flag_users u \
    JOIN waffle_flag f ON f.id = u.flag_id UNION ALL \
    SELECT 'group', f.name, '', g.group_id, 0, 0, 0, g.id FROM waffle_flag_groups g \
    JOIN waffle_flag f ON f.id = g.flag_id UNION ALL \
    SELECT 'course', waffle_flag, course_id, CASE override_choice WHEN 'on' THEN 1 ELSE 0 END, \
    enabled, 0, 0, id FROM waffle_utils_waffleflagcourseoverridemodel UNION ALL \
    SELECT 'org', waffle_flag, org, CASE override_choice WHEN 'on' THEN 1 ELSE 0 END, \
    enabled, 0, 0, id FROM waffle_utils_waffleflagorgoverridemodel \
    ORDER BY kind, age";

impl Toggles {
    /// Reads everything, in one statement.
    pub async fn load(mut from: impl Source) -> Result<Self> {
        let rows = from.rows(ALL, &[]).await?;
        let mut toggles = Self::default();
        // Flags come before users and groups, which belong to them; within a kind the newest row
        // comes last and wins.
        for row in rows
            .iter()
            .filter(|row| row.text("kind").is_ok_and(|kind| kind == "flag"))
        {
            toggles.add(row)?;
        }
        for row in rows
            .iter()
            .filter(|row| row.text("kind").is_ok_and(|kind| kind != "flag"))
        {
            toggles.add(row)?;
        }
        Ok(toggles)
    }

    fn add(&mut self, row: &Row) -> Result<()> {
        let name = row.text("name")?;
        let number = row.opt_int("a")?;
        match row.text("kind")?.as_str() {
            "switch" => {
                self.switches.insert(name, number == Some(1));
            }
            "flag" => {
                let state = FlagState {
                    everyone: number.map(|number| number != 0),
                    superusers: row.bool("b")?,
                    staff: row.bool("c")?,
                    authenticated: row.bool("d")?,
                    ..FlagState::default()
                };
                self.flags.insert(name, state);
            }
            "user" => {
                self.flags.entry(name).or_default().users.extend(number);
            }
            "group" => {
                self.flags.entry(name).or_default().groups.extend(number);
            }
            kind => {
                let choice = row.bool("b")?.then_some(number == Some(1));
                let scope = row.text("scope")?;
                let map = if kind == "course" {
                    &mut self.courses
                } else {
                    &mut self.orgs
                };
                map.insert((name, scope), choice);
            }
        }
        Ok(())
    }

    /// Whether a switch is on; a missing one is off.
    #[must_use]
    pub fn switch(&self, name: &str) -> bool {
        self.switches.get(name).copied().unwrap_or_default()
    }

    /// Whether a flag is on for a person; a missing one is off.
    #[must_use]
    pub fn flag(&self, name: &str, who: &Who) -> bool {
        let Some(flag) = self.flags.get(name) else {
            return false;
        };
        if let Some(everyone) = flag.everyone {
            return everyone;
        }
        let Some(user_id) = who.user_id else {
            return false;
        };
        flag.authenticated
            || (flag.staff && who.is_staff)
            || (flag.superusers && who.is_superuser)
            || flag.users.contains(&user_id)
            || who
                .group_ids
                .iter()
                .any(|group| flag.groups.contains(group))
    }

    /// Whether a flag is on in a course: the course's override, then the organisation's, then the
    /// flag itself for the person.
    #[must_use]
    pub fn course_flag(&self, name: &str, course_id: &str, org: &str, who: &Who) -> bool {
        let found = |map: &HashMap<(String, String), Option<bool>>, scope: &str| {
            map.get(&(name.to_owned(), scope.to_owned()))
                .copied()
                .flatten()
        };
        found(&self.courses, course_id)
            .or_else(|| found(&self.orgs, org))
            .unwrap_or_else(|| self.flag(name, who))
    }

    /// What a flag says for everyone, if the flag exists and says it.
    #[must_use]
    pub fn everyone(&self, name: &str) -> Option<bool> {
        self.flags.get(name).and_then(|flag| flag.everyone)
    }
}

/// Every switch, by name.
pub async fn switches(from: impl Source) -> Result<Vec<Switch>> {
    table::find(from, "ORDER BY name", &[]).await
}

/// Every flag, by name.
pub async fn flags(from: impl Source) -> Result<Vec<Flag>> {
    table::find(from, "ORDER BY name", &[]).await
}

/// Turns a switch on or off, made if missing.
pub async fn set_switch(tx: &mut Tx, name: &str, active: bool, now: NaiveDateTime) -> Result<()> {
    let row = Switch {
        id: 0,
        name: name.to_owned(),
        active,
        note: String::new(),
        created: now,
        modified: now,
    };
    table::upsert(tx, &row, &["name"], &["note", "created"]).await
}

/// Sets a flag for everyone (`None`: left to the flag's other columns), made if missing.
pub async fn set_flag(
    tx: &mut Tx,
    name: &str,
    everyone: Option<bool>,
    now: NaiveDateTime,
) -> Result<()> {
    let sql = "UPDATE waffle_flag SET everyone = ?, modified = ? WHERE name = ?";
    if tx.execute(sql, &params![everyone, now, name]).await? > 0 {
        return Ok(());
    }
    let row = Flag {
        name: name.to_owned(),
        everyone,
        superusers: true,
        created: now,
        modified: now,
        ..Flag::default()
    };
    table::insert(tx, &row).await.map(|_| ())
}

/// Overrides a flag in a course.
pub async fn override_in_course(tx: &mut Tx, row: &CourseOverride) -> Result<()> {
    table::insert(tx, row).await.map(|_| ())
}

/// Overrides a flag in an organisation.
pub async fn override_in_org(tx: &mut Tx, row: &OrgOverride) -> Result<()> {
    table::insert(tx, row).await.map(|_| ())
}
