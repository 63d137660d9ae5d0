//! What is allowed and shown when (contract §8).

use chrono::{DateTime, Duration, Utc};

use super::{Block, BlockContext, Randomization};

impl BlockContext<'_> {
    /// When the problem closes.
    #[must_use]
    pub fn close_date(&self) -> Option<DateTime<Utc>> {
        let due = self.fields.due?;
        match self.fields.graceperiod.and_then(Duration::try_seconds) {
            Some(grace) => due.checked_add_signed(grace).or(Some(due)),
            None => Some(due),
        }
    }

    /// Whether the closing date is over.
    #[must_use]
    pub fn is_past_due(&self) -> bool {
        self.close_date().is_some_and(|close| self.now > close)
    }

    /// Whether marks, scores and answers may be shown.
    #[must_use]
    pub fn correctness_available(&self) -> bool {
        match self.fields.show_correctness.as_str() {
            "never" => false,
            "past_due" => self.is_staff || self.close_date().is_none() || self.is_past_due(),
            _ => true,
        }
    }
}

impl Block<'_> {
    /// Whether all attempts are used.
    #[must_use]
    pub fn used_all_attempts(&self) -> bool {
        self.cx
            .fields
            .max_attempts
            .is_some_and(|max| self.attempts >= max)
    }

    /// Whether nothing can be submitted any more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.used_all_attempts() || self.cx.is_past_due()
    }

    fn is_correct(&self) -> bool {
        self.score.earned.as_f64() == self.score.possible.as_f64()
    }

    /// Whether Show Answer is allowed.
    #[must_use]
    pub fn answer_available(&self) -> bool {
        let fields = self.cx.fields;
        let when = fields.showanswer.as_str();
        if !self.cx.correctness_available() || when.is_empty() || when == "never" {
            return false;
        }
        if self.cx.is_staff {
            return true;
        }
        match when {
            "attempted" => self.attempts > 0 || self.cx.is_past_due(),
            "answered" => self.is_correct(),
            "closed" => self.is_closed(),
            "finished" => self.is_closed() || self.is_correct(),
            "correct_or_past_due" => self.is_correct() || self.cx.is_past_due(),
            "past_due" => self.cx.is_past_due(),
            "always" => true,
            "after_attempts" => {
                let mut required = fields.attempts_before_showanswer_button;
                if let Some(max) = fields.max_attempts.filter(|max| *max != 0) {
                    required = required.min(max);
                }
                self.attempts >= required
            }
            "after_all_attempts" => self.used_all_attempts(),
            "after_all_attempts_or_correct" => self.used_all_attempts() || self.is_correct(),
            "attempted_no_past_due" => self.attempts > 0,
            _ => false,
        }
    }

    fn waits_for_reset(&self) -> bool {
        self.problem.is_done() && self.cx.fields.rerandomize == Randomization::Always
    }

    /// Whether Submit is switched on.
    #[must_use]
    pub fn submit_enabled(&self) -> bool {
        !self.is_closed() && !self.waits_for_reset()
    }

    /// Whether Reset is shown.
    #[must_use]
    pub fn reset_shown(&self) -> bool {
        let fields = self.cx.fields;
        if self.is_closed() && fields.max_attempts != Some(0) {
            return false;
        }
        let randomised = matches!(
            fields.rerandomize,
            Randomization::Always | Randomization::OnReset
        );
        if randomised && self.problem.is_done() {
            return true;
        }
        !self.is_correct() && fields.show_reset_button
    }

    /// Whether Save is shown.
    #[must_use]
    pub fn save_shown(&self) -> bool {
        let fields = self.cx.fields;
        if fields.force_save_button {
            return !self.is_closed();
        }
        if fields.max_attempts.is_none() && fields.rerandomize != Randomization::Always {
            return false;
        }
        let survey = fields.max_attempts == Some(0);
        !((self.is_closed() && !survey) || self.waits_for_reset())
    }
}
