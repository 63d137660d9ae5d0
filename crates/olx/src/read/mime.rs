//! MIME types by file name, as the platform's Python guesses them (olx.md §12).

/// Extensions, sorted, with their types.
#[rustfmt::skip]
const TYPES: &[(&str, &str)] = &[
    ("3g2", "audio/3gpp2"), ("3gp", "audio/3gpp"), ("3gpp", "audio/3gpp"),
    ("3gpp2", "audio/3gpp2"), ("a", "application/octet-stream"), ("aac", "audio/aac"),
    ("adts", "audio/aac"), ("ai", "application/postscript"), ("aif", "audio/x-aiff"),
    ("aifc", "audio/x-aiff"), ("aiff", "audio/x-aiff"), ("ass", "audio/aac"),
    ("au", "audio/basic"), ("avi", "video/x-msvideo"), ("avif", "image/avif"),
    ("bat", "text/plain"), ("bcpio", "application/x-bcpio"), ("bin", "application/octet-stream"),
    ("bmp", "image/bmp"), ("c", "text/plain"), ("cdf", "application/x-netcdf"),
    ("cpio", "application/x-cpio"), ("csh", "application/x-csh"), ("css", "text/css"),
    ("csv", "text/csv"), ("dll", "application/octet-stream"), ("doc", "application/msword"),
    ("dot", "application/msword"), ("dvi", "application/x-dvi"), ("eml", "message/rfc822"),
    ("eot", "application/vnd.ms-fontobject"), ("eps", "application/postscript"),
    ("etx", "text/x-setext"), ("exe", "application/octet-stream"), ("gif", "image/gif"),
    ("gtar", "application/x-gtar"), ("h", "text/plain"), ("h5", "application/x-hdf5"),
    ("hdf", "application/x-hdf"), ("heic", "image/heic"), ("heif", "image/heif"),
    ("htm", "text/html"), ("html", "text/html"), ("ico", "image/vnd.microsoft.icon"),
    ("ief", "image/ief"), ("jpe", "image/jpeg"), ("jpeg", "image/jpeg"), ("jpg", "image/jpeg"),
    ("js", "text/javascript"), ("json", "application/json"), ("ksh", "text/plain"),
    ("latex", "application/x-latex"), ("loas", "audio/aac"), ("m1v", "video/mpeg"),
    ("m3u", "application/vnd.apple.mpegurl"), ("m3u8", "application/vnd.apple.mpegurl"),
    ("man", "application/x-troff-man"), ("md", "text/markdown"), ("me", "application/x-troff-me"),
    ("mht", "message/rfc822"), ("mhtml", "message/rfc822"), ("mif", "application/x-mif"),
    ("mjs", "text/javascript"), ("mov", "video/quicktime"), ("movie", "video/x-sgi-movie"),
    ("mp2", "audio/mpeg"), ("mp3", "audio/mpeg"), ("mp4", "video/mp4"), ("mpa", "video/mpeg"),
    ("mpe", "video/mpeg"), ("mpeg", "video/mpeg"), ("mpg", "video/mpeg"),
    ("ms", "application/x-troff-ms"), ("n3", "text/n3"), ("nc", "application/x-netcdf"),
    ("nq", "application/n-quads"), ("nt", "application/n-triples"), ("nws", "message/rfc822"),
    ("o", "application/octet-stream"), ("obj", "application/octet-stream"),
    ("oda", "application/oda"), ("ogg", "audio/ogg"), ("opus", "audio/opus"),
    ("otf", "application/x-font-opentype"), ("p12", "application/x-pkcs12"),
    ("p7c", "application/pkcs7-mime"), ("pbm", "image/x-portable-bitmap"),
    ("pdf", "application/pdf"), ("pfx", "application/x-pkcs12"),
    ("pgm", "image/x-portable-graymap"), ("pl", "text/plain"), ("png", "image/png"),
    ("pnm", "image/x-portable-anymap"), ("pot", "application/vnd.ms-powerpoint"),
    ("ppa", "application/vnd.ms-powerpoint"), ("ppm", "image/x-portable-pixmap"),
    ("pps", "application/vnd.ms-powerpoint"), ("ppt", "application/vnd.ms-powerpoint"),
    ("ps", "application/postscript"), ("pwz", "application/vnd.ms-powerpoint"),
    ("py", "text/x-python"), ("pyc", "application/x-python-code"),
    ("pyo", "application/x-python-code"), ("qt", "video/quicktime"),
    ("ra", "audio/x-pn-realaudio"), ("ram", "application/x-pn-realaudio"),
    ("ras", "image/x-cmu-raster"), ("rdf", "application/xml"), ("rgb", "image/x-rgb"),
    ("roff", "application/x-troff"), ("rst", "text/x-rst"), ("rtf", "application/rtf"),
    ("rtx", "text/richtext"), ("sgm", "text/x-sgml"), ("sgml", "text/x-sgml"),
    ("sh", "application/x-sh"), ("shar", "application/x-shar"),
    ("sjson", "application/octet-stream"), ("snd", "audio/basic"),
    ("so", "application/octet-stream"), ("src", "application/x-wais-source"),
    ("srt", "application/octet-stream"), ("sv4cpio", "application/x-sv4cpio"),
    ("sv4crc", "application/x-sv4crc"), ("svg", "image/svg+xml"),
    ("swf", "application/x-shockwave-flash"), ("t", "application/x-troff"),
    ("tar", "application/x-tar"), ("tcl", "application/x-tcl"), ("tex", "application/x-tex"),
    ("texi", "application/x-texinfo"), ("texinfo", "application/x-texinfo"),
    ("tif", "image/tiff"), ("tiff", "image/tiff"), ("tr", "application/x-troff"),
    ("trig", "application/trig"), ("tsv", "text/tab-separated-values"),
    ("ttf", "application/x-font-ttf"), ("txt", "text/plain"), ("ustar", "application/x-ustar"),
    ("vcf", "text/x-vcard"), ("vtt", "text/vtt"), ("wasm", "application/wasm"),
    ("wav", "audio/x-wav"), ("webm", "video/webm"), ("webmanifest", "application/manifest+json"),
    ("webp", "image/webp"), ("wiz", "application/msword"), ("woff", "application/font-woff"),
    ("wsdl", "application/xml"), ("xbm", "image/x-xbitmap"), ("xlb", "application/vnd.ms-excel"),
    ("xls", "application/vnd.ms-excel"), ("xml", "text/xml"), ("xpdl", "application/xml"),
    ("xpm", "image/x-xpixmap"), ("xsl", "application/xml"), ("xwd", "image/x-xwindowdump"),
    ("zip", "application/zip"),
];

/// Extensions that stand for others, and those of packed files, which have the type of what is packed.
const ALIASES: [(&str, &str); 5] = [
    (".svgz", ".svg"),
    (".tgz", ".tar"),
    (".taz", ".tar"),
    (".tz", ".tar"),
    (".tbz2", ".tar"),
];

/// Whether some extension has this type; types of `assets.json` that none has are not believed.
pub(super) fn is_registered(kind: &str) -> bool {
    TYPES.iter().any(|(_, known)| *known == kind)
}

/// The type of a file by its name.
pub(crate) fn guess(name: &str) -> Option<&'static str> {
    let lower = name.to_ascii_lowercase();
    let mut name = lower.trim_start_matches('.').to_owned();
    for (short, long) in ALIASES {
        if let Some(stem) = name.strip_suffix(short) {
            name = format!("{stem}{long}");
        }
    }
    for packed in [".gz", ".z", ".bz2", ".xz", ".br"] {
        if let Some(stem) = name.strip_suffix(packed) {
            name = stem.to_owned();
            break;
        }
    }
    let (_, extension) = name.rsplit_once('.')?;
    let at = TYPES
        .binary_search_by_key(&extension, |(known, _)| known)
        .ok()?;
    TYPES.get(at).map(|(_, kind)| *kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    // olx.md §12: guessed from the extension; unknown is null.
    #[test]
    fn types_are_guessed_by_extension() {
        assert!(TYPES.is_sorted());
        assert_eq!(guess("a.PNG"), Some("image/png"));
        assert_eq!(guess("t.srt"), Some("application/octet-stream"));
        assert_eq!(guess("a.tar.gz"), Some("application/x-tar"));
        assert_eq!(guess("README"), None);
        assert!(is_registered("image/png") && !is_registered("text/pdf"));
    }
}
