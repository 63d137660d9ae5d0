//! Blocks of the sample unit, with the markup of capa.md §4 and courseware.md §10.3.

/// Type, id and HTML of each.
pub(crate) fn blocks() -> Vec<(&'static str, &'static str, String)> {
    let html = "<div class=\"xblock xblock-student_view xblock-student_view-html xmodule_display xmodule_HtmlBlock\" \
        data-block-type=\"html\" data-usage-id=\"block-v1:HarbourX+TID101+2027_T1+type@html+block@h\" \
        data-course-id=\"course-v1:HarbourX+TID101+2027_T1\" data-mark-completed-on-view-after-delay=\"5000\">\
        <p>The Moon pulls on every drop of the sea, but <em>not on every drop alike</em>. Water on the near side is about six \
        thousand kilometres closer to it than the Earth’s middle is.</p>\
        <p>The pull is \\(F = G\\,m_1 m_2 / d^2\\).</p><iframe src=\"about:blank\" width=\"300\" height=\"40\"></iframe>\
        <table><tr><th scope=\"col\">Port</th><th scope=\"col\">High water</th></tr><tr><td>Ellery</td><td>12:40</td></tr></table></div>";
    vec![
        ("html", "h", html.to_owned()),
        ("video", "v", video()),
        (
            "problem",
            "p1",
            problem(
                "p1",
                "The second bulge",
                &choices("p1"),
                &notice("error", "fa-close", "Incorrect (0/1 point)"),
            ),
        ),
        (
            "problem",
            "p2",
            problem("p2", "The next high water", &number("p2"), ""),
        ),
    ]
}

fn video() -> String {
    let metadata = "{&#34;sources&#34;: [], &#34;saveStateUrl&#34;: &#34;/x&#34;, &#34;showCaptions&#34;: &#34;true&#34;}";
    format!(
        "<div class=\"xblock xblock-student_view xblock-student_view-video xmodule_display xmodule_VideoBlock\" data-block-type=\"video\" \
         data-usage-id=\"block-v1:HarbourX+TID101+2027_T1+type@video+block@v\" data-course-id=\"course-v1:HarbourX+TID101+2027_T1\">\
         <h3 class=\"hd hd-3\">The far side of the water</h3>\
         <div id=\"video_v\" class=\"s-video\" data-metadata=\"{metadata}\"><div class=\"s-video__in\"><div><div class=\"s-video__stage\">\
         <video controls preload=\"none\" width=\"640\" height=\"360\"><source src=\"/static/none.mp4\" type=\"video/mp4\"></video></div></div>\
         <section class=\"s-transcript\" aria-label=\"Transcript\"><header><h4>Transcript</h4></header><ol tabindex=\"0\" aria-label=\"Lines\">\
         <li><button type=\"button\" data-start=\"0\"><time datetime=\"PT0M00S\">0:00</time><span>Stand on the quay at noon.</span></button></li>\
         <li><button type=\"button\" data-start=\"9\"><time datetime=\"PT0M09S\">0:09</time><span>The water under it is drawn up a little.</span></button></li>\
         </ol></section></div></div></div>"
    )
}

fn problem(id: &str, title: &str, body: &str, notice: &str) -> String {
    let usage = format!("block-v1:HarbourX+TID101+2027_T1+type@problem+block@{id}");
    let inner = format!(
        "<h3 class=\"hd hd-3 problem-header\" id=\"{id}-problem-title\" aria-describedby=\"{usage}-problem-progress\" tabindex=\"-1\">{title}</h3>\
         <div class=\"problem-progress\" id=\"{usage}-problem-progress\"></div>\
         <div class=\"problem\"><div>{body}</div><div class=\"action\"><input type=\"hidden\" name=\"problem_id\" value=\"{title}\">\
         <div class=\"problem-hint\"><div class=\"notification problem-hint notification-hint is-hidden\" tabindex=\"-1\">\
         <span class=\"icon fa fa-question\" aria-hidden=\"true\"></span><span class=\"notification-message\" aria-describedby=\"{id}-problem-title\"></span>\
         <div class=\"notification-btn-wrapper\"><button type=\"button\" class=\"btn btn-default btn-small notification-btn hint-button\">Next Hint</button></div></div></div>\
         <div class=\"problem-action-buttons-wrapper\"><span class=\"problem-action-button-wrapper\">\
         <button type=\"button\" class=\"hint-button problem-action-btn btn-link btn-small\" data-value=\"Hint\">Hint</button></span>\
         <span class=\"problem-action-button-wrapper\"><button type=\"button\" class=\"save problem-action-btn btn-link btn-small\" data-value=\"Save\">\
         <span aria-hidden=\"true\">Save</span><span class=\"sr\">Save your answer</span></button></span>\
         <span class=\"problem-action-button-wrapper\"><button type=\"button\" class=\"show problem-action-btn btn-link btn-small\" aria-describedby=\"{id}-problem-title\">\
         <span class=\"show-label\">Show answer</span></button></span></div>\
         <div class=\"submit-attempt-container\"><button type=\"button\" class=\"submit btn-brand\" data-submitting=\"Submitting\" data-value=\"Submit\" \
         data-should-enable-submit-button=\"True\" aria-describedby=\"submission_feedback_{id}\"><span class=\"submit-label\">Submit</span></button>\
         <div class=\"submission-feedback\" id=\"submission_feedback_{id}\">You have used 1 of 3 attempts<span class=\"sr\">Some problems have options such as \
         save, reset, hints, or show answer. These options follow the Submit button.</span></div></div></div>\
         <div class=\"notification warning notification-gentle-alert is-hidden\" tabindex=\"-1\"><span class=\"icon fa fa-exclamation-circle\" aria-hidden=\"true\"></span>\
         <span class=\"notification-message\" aria-describedby=\"{id}-problem-title\"></span></div>{notice}</div>"
    );
    let content = inner
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&#34;");
    format!(
        "<div class=\"xblock xblock-student_view xblock-student_view-problem xmodule_display xmodule_ProblemBlock\" data-block-type=\"problem\" \
         data-usage-id=\"{usage}\" data-course-id=\"course-v1:HarbourX+TID101+2027_T1\" data-init=\"XBlockToXModuleShim\" data-runtime-class=\"LmsRuntime\">\
         <script type=\"json/xblock-args\" class=\"xblock-json-init-args\">{{\"xmodule-type\": \"Problem\"}}</script>\
         <div id=\"problem_{id}\" class=\"problems-wrapper\" role=\"group\" aria-labelledby=\"{id}-problem-title\" data-problem-id=\"{usage}\" \
         data-url=\"/courses/course-v1:HarbourX+TID101+2027_T1/xblock/{usage}/handler/xmodule_handler\" data-problem-score=\"0.0\" \
         data-problem-total-possible=\"1.0\" data-attempts-used=\"1\" data-content=\"{content}\" data-graded=\"False\">\
         <p class=\"loading-spinner\"><i class=\"fa fa-spinner fa-pulse fa-2x fa-fw\"></i><span class=\"sr\">Loading…</span></p></div></div>"
    )
}

fn notice(kind: &str, icon: &str, text: &str) -> String {
    format!(
        "<div class=\"notification {kind} notification-submit\" tabindex=\"-1\"><span class=\"icon fa {icon}\" aria-hidden=\"true\"></span>\
         <span class=\"notification-message\">{text}</span></div>"
    )
}

fn choices(id: &str) -> String {
    let choice = |index: u8, text: &str, classes: &str, checked: &str| {
        format!(
            "<div class=\"field\"><input type=\"radio\" name=\"input_{id}_2_1\" id=\"input_{id}_2_1_choice_{index}\" class=\"field-input input-radio\" \
             value=\"choice_{index}\"{checked}><label id=\"{id}_2_1-choice_{index}-label\" for=\"input_{id}_2_1_choice_{index}\" \
             class=\"response-label field-label label-inline{classes}\" aria-describedby=\"status_{id}_2_1\"><div>{text}</div></label></div>"
        )
    };
    format!(
        "<div class=\"wrapper-problem-response\" tabindex=\"-1\" aria-label=\"Question 1\" role=\"group\"><div class=\"choicegroup capa_inputtype\" id=\"inputtype_{id}_2_1\">\
         <fieldset aria-describedby=\"status_{id}_2_1\"><legend id=\"{id}_2_1-legend\" class=\"response-fieldset-legend field-group-hd\">Why does the sea also stand high \
         on the far side?</legend>{}{}<span id=\"answer_{id}_2_1\"></span></fieldset><div class=\"indicator-container\"><span class=\"status incorrect\" id=\"status_{id}_2_1\" \
         data-tooltip=\"This answer is incorrect.\"><span class=\"sr\">incorrect</span><span class=\"status-icon\" aria-hidden=\"true\"></span></span></div></div></div>",
        choice(
            0,
            "The Sun pulls it up from the other side.",
            " choicegroup_incorrect",
            " checked=\"true\""
        ),
        choice(
            1,
            "The Moon pulls that water less than it pulls the Earth’s centre.",
            "",
            ""
        ),
    )
}

fn number(id: &str) -> String {
    format!(
        "<div class=\"wrapper-problem-response\" tabindex=\"-1\" aria-label=\"Question 1\" role=\"group\"><p>Two bulges pass in 24 hours and 50 minutes.</p>\
         <div id=\"formulaequationinput_{id}_2_1\" class=\"inputtype formulaequationinput\"><div class=\"unanswered\">\
         <input type=\"text\" name=\"input_{id}_2_1\" id=\"input_{id}_2_1\" data-input-id=\"{id}_2_1\" value=\"\" aria-describedby=\"status_{id}_2_1\" size=\"20\">\
         <span class=\"trailing_text\" id=\"trailing_text_{id}_2_1\">hours</span><span class=\"status unanswered\" id=\"status_{id}_2_1\" data-tooltip=\"Not yet answered.\">\
         <span class=\"sr\">unanswered</span><span class=\"status-icon\" aria-hidden=\"true\"></span></span><p id=\"answer_{id}_2_1\" class=\"answer\"></p>\
         <div id=\"input_{id}_2_1_preview\" class=\"equation\"></div></div></div></div>"
    )
}
