CREATE TABLE `stoa_outbox` (
  `id` integer NOT NULL PRIMARY KEY AUTOINCREMENT,
  `topic` varchar(100) NOT NULL,
  `key` varchar(255) NOT NULL,
  `payload` text NOT NULL,
  `created` datetime NOT NULL,
  `available_at` datetime NOT NULL,
  `claimed_until` datetime NULL,
  `attempts` integer NOT NULL,
  `done_at` datetime NULL,
  `error` text NULL
);
-- Only what waits is looked for often.
CREATE INDEX `stoa_outbox_waiting` ON `stoa_outbox` (`topic`, `available_at`) WHERE `done_at` IS NULL;
CREATE INDEX `stoa_outbox_done` ON `stoa_outbox` (`done_at`);
