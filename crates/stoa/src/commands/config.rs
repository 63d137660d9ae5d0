//! `stoa config`.

use crate::config::Config;

/// Shows every setting in force; secrets are not shown.
pub fn show(config: &Config) {
    for (setting, value) in config.shown() {
        super::print(&format!("{} = {value:?}", setting.key));
    }
}
