//! Tables of the embedded engine: key columns beside one BSON blob each.

use db::Migration;

/// What the embedded engine needs in its database.
pub const MIGRATIONS: &[Migration] = &[Migration {
    name: "modulestore_0001_documents",
    sqlite: "
CREATE TABLE `stoa_structure` (
    `id` text NOT NULL PRIMARY KEY,
    `previous_version` text NULL,
    `doc` blob NOT NULL
) WITHOUT ROWID;
CREATE TABLE `stoa_definition` (
    `id` text NOT NULL PRIMARY KEY,
    `block_type` text NOT NULL,
    `doc` blob NOT NULL
) WITHOUT ROWID;
CREATE TABLE `stoa_file` (
    `filename` text NOT NULL PRIMARY KEY,
    `course_id` text NOT NULL,
    `category` text NOT NULL,
    `display_name` text NOT NULL,
    `upload_date` integer NOT NULL,
    `upload` text NOT NULL,
    `doc` blob NOT NULL
);
CREATE INDEX `stoa_file_course` ON `stoa_file` (`course_id`, `category`, `filename`);
CREATE INDEX `stoa_file_upload` ON `stoa_file` (`upload`);
CREATE TABLE `stoa_chunk` (
    `upload` text NOT NULL,
    `n` integer NOT NULL,
    `id` text NOT NULL,
    `data` blob NOT NULL,
    PRIMARY KEY (`upload`, `n`)
);
",
    mysql: "
CREATE TABLE IF NOT EXISTS `stoa_structure` (
    `id` char(24) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    `previous_version` char(24) CHARACTER SET ascii COLLATE ascii_bin NULL,
    `doc` longblob NOT NULL
);
CREATE TABLE IF NOT EXISTS `stoa_definition` (
    `id` char(24) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    `block_type` varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    `doc` longblob NOT NULL
);
CREATE TABLE IF NOT EXISTS `stoa_file` (
    `filename` varchar(600) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL PRIMARY KEY,
    `course_id` varchar(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    `category` varchar(32) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    `display_name` text CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
    `upload_date` bigint NOT NULL,
    `upload` char(24) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `doc` longblob NOT NULL,
    KEY `stoa_file_course` (`course_id`, `category`),
    KEY `stoa_file_upload` (`upload`)
);
CREATE TABLE IF NOT EXISTS `stoa_chunk` (
    `upload` char(24) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `n` int NOT NULL,
    `id` char(24) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    `data` longblob NOT NULL,
    PRIMARY KEY (`upload`, `n`)
);
",
}];
