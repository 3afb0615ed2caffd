-- Who reads what, and how far has the group got?
--
-- Two consumers read one topic of four partitions for one group. K1 comes first and has all of it; ten seconds later
-- K2 joins, and each has two partitions. Then K1 dies. Nobody notices before its session ends; after that K2 gets
-- K1's partitions and goes on where the group has committed, not where K1 had got to.
--
-- The fix in the second case does not make duplicates impossible. Positions are committed more often, so there are fewer.
-- (KIP-62 for the session, ConsumerCoordinator.maybeAutoCommitOffsetsAsync for the commit.)
return scenario {
  title = "Two readers share the work, and one dies",
  chapter = "docs/kafka/04-groups-and-offsets.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2, offsets_partitions = 1 },
  topics = { orders = { partitions = 4, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 400, every = ms(100), start_at = seconds(5), keys = 8 },
    consumer "K1" { topics = { "orders" }, group = "readers", auto_offset_reset = "earliest", session_timeout = seconds(10) },
    consumer "K2" { topics = { "orders" }, group = "readers", auto_offset_reset = "earliest", session_timeout = seconds(10), start_at = seconds(15) },
  },
  faults = { at(seconds(28), kill("K1")) },
  run_for = seconds(60),
  expect = { reaches "member_expired", holds "lost-message", violates "duplicate-delivery" },
  cases = {
    case "every 5 s" { why = "Positions are committed as the library does it by itself." },
    case "every 500 ms" { why = "Ten times as often: less is read again.", set = { auto_commit_interval = ms(500) } },
  },
}
