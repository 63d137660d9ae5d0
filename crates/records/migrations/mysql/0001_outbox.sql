CREATE TABLE IF NOT EXISTS `stoa_outbox` (
  `id` bigint NOT NULL AUTO_INCREMENT,
  `topic` varchar(100) NOT NULL,
  `key` varchar(255) NOT NULL,
  `payload` longtext NOT NULL,
  `created` datetime(6) NOT NULL,
  `available_at` datetime(6) NOT NULL,
  `claimed_until` datetime(6) DEFAULT NULL,
  `attempts` int NOT NULL,
  `done_at` datetime(6) DEFAULT NULL,
  `error` longtext DEFAULT NULL,
  PRIMARY KEY (`id`),
  KEY `stoa_outbox_waiting` (`done_at`, `topic`, `available_at`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
