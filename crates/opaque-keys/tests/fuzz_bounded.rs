//! The fuzz target of the keys, for a bounded time on any toolchain.

#[path = "../../../fuzz/bounded.rs"]
mod bounded;
#[path = "fuzz/target.rs"]
mod target;

#[test]
fn keys_bounded() {
    bounded::run(
        "keys",
        &[
            b"course-v1:Org+Course+Run",
            b"course-v1:Org+Course+Run+branch@draft-branch+version@519665f6223ebd6980884f2b",
            b"Org/Course/Run",
            b"block-v1:Org+Course+Run+type@problem+block@a_b-c.d",
            b"i4x://Org/Course/problem/name@draft",
            b"asset-v1:Org+Course+Run+type@asset+block@a_b.png",
            b"/c4x/Org/Course/asset/a.png",
            b"library-v1:Org+Lib",
            b"lib:Org:slug",
            b"lb:Org:slug:html:id",
            b"lct:Org:slug:unit:id",
            b"lib-collection:Org:slug:id",
            b"def-v1:519665f6223ebd6980884f2b+type@problem",
            b"aside-usage-v2:block-v1$:Org+Course+Run+type@html+block@a::structured_tags",
            b"ccx-v1:Org+Course+Run+ccx@1",
            b"block-type-v1:xblock.v1:html",
        ],
        &[
            b":",
            b"+",
            b"@",
            b"/",
            b"$",
            b"::",
            b"$:",
            b"type@",
            b"block@",
            b"branch@",
            b"version@",
            b"ccx@",
            b"course-v1:",
            b"block-v1:",
            b"i4x://",
            b"aside-usage-v1:",
            b"_",
            b"-",
            b".",
            b"~",
            b" ",
            b"%2B",
            b"\xc3\xa9",
            b"\n",
        ],
        target::run,
    );
}
