-- Two members of a group turn orders into bills, each in transactions of its own. One of them drops out in the middle.
-- What keeps its batch from being billed twice?
--
-- Not the transactional id. T1 and T2 have one each, since they work side by side, and so neither fences the other. What
-- is between them is the group: it says who owns orders/0, and from where the next owner goes on.
--
-- T1 sleeps. It has sent nine of ten bills when it stands still for 25 s. Its session ends; T2, which has just been started
-- beside it, is given orders/0, finds that the group stands at 0, writes the ten bills and commits. T1 wakes, sends the tenth,
-- and stores position 10 in its transaction. Asked only for its producer id and epoch, which are in order, the group's
-- coordinator takes the position; T1 commits; ten bills count twice. With the consumer's generation and member id beside it
-- (KIP-447) the coordinator sees that T1 is not in the group any more, and T1 has to abort.
--
-- T1 is done. It has stored its position, its commit was answered, and it dies. But the decision is not yet in the log of the
-- group's positions: the marker that tells it is on its way. T2 takes over and asks where the group stands. The position
-- that it is told counts at this moment, and is about to be replaced: ten bills again. Who requires a stable position
-- (KIP-447 again) is told to come back later, and goes on at 10.
--
-- Before KIP-447 each input partition had to have a producer of its own, with the partition in its transactional id.
-- Source: KIP-447; ClassicGroup.validateOffsetCommit; OffsetMetadataManager.fetchOffsets (UNSTABLE_OFFSET_COMMIT).
return scenario {
  title = "Positions without a generation",
  chapter = "docs/exactly-once/04-transactions-step-by-step.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2, offsets_partitions = 1 },
  topics = { orders = { partitions = 1, replicas = 3 }, bills = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 10, every = ms(1), start_at = seconds(5) },
    transform "T1" {
      topics = { "orders" }, topic = "bills", group = "billing", transactional_id = "billing-1", transaction_timeout = minutes(2),
      auto_offset_reset = "earliest", auto_commit = "off", isolation = "read_committed", session_timeout = seconds(10),
      start_at = seconds(6), work = ms(50), max_poll = 10,
    },
    transform "T2" {
      topics = { "orders" }, topic = "bills", group = "billing", transactional_id = "billing-2", transaction_timeout = minutes(2),
      auto_offset_reset = "earliest", auto_commit = "off", isolation = "read_committed", session_timeout = seconds(10),
      start_at = seconds(12), work = ms(50), max_poll = 10,
    },
    consumer "K1" { topics = { "bills" }, isolation = "read_committed", auto_offset_reset = "earliest", effect = "sent to the customer" },
  },
  run_for = seconds(90),
  expect = { reaches "member_expired", holds "lost-message", holds "effect-lost" },
  cases = {
    case "T1 sleeps, group_metadata=false" {
      why = "It is out of the group, and the group does not ask.",
      set = { group_metadata = false },
      faults = { when(op "send ok" { from = "T1", nth = 9 }, after(ms(10), pause "T1" { duration = seconds(25) })) },
      expect = { reaches "resumed", violates "atomicity-gap", violates "effect-duplicate" },
    },
    case "T1 sleeps, group_metadata=true" {
      why = "The generation is over: its position is refused, and it aborts.",
      faults = { when(op "send ok" { from = "T1", nth = 9 }, after(ms(10), pause "T1" { duration = seconds(25) })) },
      expect = { reaches "resumed", reaches "commit_refused", holds "atomicity-gap", holds "effect-duplicate" },
    },
    case "T1 is done, require_stable=false" {
      why = "The position is that of a moment ago.",
      set = { require_stable = false },
      faults = {
        when(sent "EndTxn" { from = "T1" }, hold "WriteTxnMarkers" { to = "leader __consumer_offsets/0", label = "marker" }),
        when(op "end_commit ok" { from = "T1" }, kill "T1"),
        at(seconds(30), release "marker"),
      },
      expect = { violates "atomicity-gap", violates "effect-duplicate" },
    },
    case "T1 is done, require_stable=true" {
      why = "T2 waits for the marker.",
      faults = {
        when(sent "EndTxn" { from = "T1" }, hold "WriteTxnMarkers" { to = "leader __consumer_offsets/0", label = "marker" }),
        when(op "end_commit ok" { from = "T1" }, kill "T1"),
        at(seconds(30), release "marker"),
      },
      expect = { reaches "position_unstable", holds "atomicity-gap", holds "effect-duplicate" },
    },
  },
}
