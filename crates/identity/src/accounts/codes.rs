//! Codes of languages, and the sites of social links.

/// Codes of ALL_LANGUAGES.
const LANGUAGES: &str = "aa ab af ak sq am ar an hy as av ae ay az ba bm eu be bn bh bi bs br bg my ca km ch ce ny zh_HANS \
    zh_HANT cu cv kw co cr hr cs da dv nl dz en eo et ee fo fj fi fr ff gd gl lg ka de el kl gn gu ht ha he hz hi ho hu is \
    io ig id ia ie iu ik ga it ja jv kn kr ks kk ki rw ky kv kg ko kj ku lo la lv li ln lt lu lb mk mg ms ml mt gv mi mr \
    mh mn na nv ng ne nd se no nb nn oc oj or om os pi pa ps fa pl pt qu ro rm rn ru sm sg sa sc sr sn ii sd si sk sl so \
    nr st es su sw ss sv tl ty tg ta tt te th bo ti to ts tn tr tk tw ug uk ur uz ve vi vo wa cy fy wo xh yi yo za zu";

/// Whether a text is the code of a language.
pub(super) fn is_language(code: &str) -> bool {
    LANGUAGES.split_whitespace().any(|known| known == code)
}

/// Sites that a profile can link to: platform, stub of its addresses.
pub(super) const SOCIAL_PLATFORMS: [(&str, &str, &str); 3] = [
    ("facebook", "facebook.com/", "Facebook"),
    ("twitter", "twitter.com/", "Twitter"),
    ("linkedin", "linkedin.com/in/", "LinkedIn"),
];
