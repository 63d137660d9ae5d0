//! The way to the verified mode, and what is sent about it (courseware.md §6, §15.2, §15.3).

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::Facts;
use crate::access;
use crate::catalog::rest_date;
use crate::learner::modes;
use crate::view::CourseView;

/// Where learners upgrade while no shop is connected.
const UPGRADE_PATH: &str = "/dashboard";

/// Whether a mode can be left for the verified one.
fn is_upgradable(mode: &str) -> bool {
    matches!(mode, modes::AUDIT | modes::HONOR)
}

/// `verified_upgrade_link`: none where the course has no verified mode that can still be taken.
#[must_use]
pub fn link(view: &CourseView) -> Option<&'static str> {
    let mode = view.learner.mode(modes::VERIFIED)?;
    mode.expires
        .is_none_or(|expires| expires > view.now)
        .then_some(UPGRADE_PATH)
}

/// Last moment to upgrade, if the learner may: their own, else that of the mode.
#[must_use]
pub fn deadline(view: &CourseView, facts: &Facts) -> Option<DateTime<Utc>> {
    let place = view.learner.enrollment.as_ref()?;
    if !is_upgradable(&place.mode) {
        return None;
    }
    let own = place
        .schedule
        .as_ref()
        .and_then(|schedule| schedule.upgrade_deadline);
    if facts.dynamic_deadlines
        && view.course.course().flag("self_paced")
        && let Some(own) = own
    {
        return (own > view.now).then_some(own);
    }
    facts.verified.as_ref()?.expires
}

/// Whether the way to the verified mode is shown: there is a deadline, and its day has not passed.
#[must_use]
pub fn is_shown(view: &CourseView, facts: &Facts) -> bool {
    let upgradable = view
        .learner
        .active_enrollment()
        .is_some_and(|place| is_upgradable(&place.mode));
    let open = deadline(view, facts)
        .is_some_and(|deadline| view.now.date_naive() <= deadline.date_naive());
    upgradable && open && link(view).is_some()
}

/// `verified_mode` of all course-home answers.
#[must_use]
pub fn verified_mode(view: &CourseView, facts: &Facts) -> Value {
    let Some(mode) = facts.verified.as_ref().filter(|_| is_shown(view, facts)) else {
        return Value::Null;
    };
    let currency = mode.currency.to_uppercase();
    json!({
        "access_expiration_date": access::audit_expiration(&view.facts, &view.learner, view.now).map(rest_date),
        "currency": currency,
        "currency_symbol": if currency == "USD" { "$" } else { currency.as_str() },
        "price": mode.price,
        "sku": mode.sku,
        "upgrade_url": link(view),
    })
}

/// `access_expiration`: when audit access ends, if it does.
#[must_use]
pub fn access_expiration(view: &CourseView, facts: &Facts) -> Value {
    let Some(expires) = access::audit_expiration(&view.facts, &view.learner, view.now) else {
        return Value::Null;
    };
    let deadline = deadline(view, facts).filter(|deadline| *deadline > view.now);
    json!({
        "expiration_date": rest_date(expires),
        "masquerading_expired_course": view.learner.is_masquerading_as_student() && expires < view.now,
        "upgrade_deadline": deadline.map(rest_date),
        "upgrade_url": deadline.and_then(|_| link(view)),
    })
}

/// Whether graded blocks are closed to audit learners of this course now.
#[must_use]
pub fn is_gating_enabled(view: &CourseView) -> bool {
    let learner = &view.learner;
    let has_both = learner.mode(modes::AUDIT).is_some() && learner.mode(modes::VERIFIED).is_some();
    let since = learner
        .active_enrollment()
        .and_then(|place| place.created)
        .unwrap_or(view.now);
    has_both && learner.content_gating.at(since) && learner.is_upgradable()
}
