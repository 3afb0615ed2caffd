-- K1 owns a partition, and nobody means to take it away. Why is its commit refused?
--
-- By KIP-848 the coordinator leads each member from one epoch of the group to the next, and tells it in the answer to a
-- heartbeat. Here K2 joins, which makes a new epoch; K1 keeps its partition. At K1's next heartbeat the coordinator
-- moves it to the new epoch, and the answer is three seconds on its way, as when a packet is lost several times. K1
-- works on meanwhile, and commits in the epoch that it knows.
--
-- First case, up to 4.2: a commit counts in the member's present epoch only. K1's are refused with STALE_MEMBER_EPOCH,
-- as if it were a zombie, though nobody else can have owned its partition. It commits without waiting (commitAsync), so
-- nobody repeats them; the next commit would make up for it. But its machine dies before that, and K2 does again what
-- was done, and was to be committed, seconds before the crash.
-- Second case, KIP-1251 (4.3): the coordinator keeps, for each partition, the epoch since which it has been the
-- member's. A commit from that one on counts. The same machine dies, and nothing is done twice.
-- (Without a crash it costs an exception. In a transaction, where commits go along, it costs the transaction.)
--
-- Source: KIP-848; KIP-1251; ConsumerGroup.validateOffsetCommit.
return scenario {
  title = "An epoch that the member has not heard of",
  chapter = "docs/kafka/05-rebalancing.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2, offsets_partitions = 1 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 30, every = seconds(2), start_at = ms(1500) },
    consumer "K1" {
      topics = { "orders" }, group = "readers", group_protocol = "consumer", auto_offset_reset = "earliest",
      auto_commit = "off", commit = "after", commit_async = true, work = ms(20), effect = "sent a parcel",
    },
    consumer "K2" {
      topics = { "orders" }, group = "readers", group_protocol = "consumer", auto_offset_reset = "earliest",
      auto_commit = "off", commit = "after", commit_async = true, work = ms(20), effect = "sent a parcel",
      start_at = seconds(22),
    },
  },
  faults = {
    -- The answer that tells K1 of the new epoch.
    when(mark "group_joined" { from = "K2" },
      delay "ConsumerGroupHeartbeatReply" { to = "K1", amount = seconds(3) }),
    -- It has come, and no further record yet.
    when(mark "group_joined" { from = "K2" }, after(seconds(7), power "K1")),
  },
  run_for = minutes(3),
  cases = {
    case "the present epoch only" {
      why = "The coordinator refuses the owner.",
      set = { ["cluster.commit_epoch"] = "strict" },
      expect = { reaches "commit_refused", violates "effect-duplicate" },
    },
    case "any epoch since the partition is its own" {
      why = "Nobody else can have owned it meanwhile.",
      set = { ["cluster.commit_epoch"] = "kip1251" },
      expect = { reaches "member_expired", holds "effect-duplicate", holds "effect-lost" },
    },
  },
}
