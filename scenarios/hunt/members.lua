-- Members of a group that come, stall and die: what does each rule of groups prevent?
--
-- Three members share two partitions; the coordinator leads them from one epoch of the group to the next (KIP-848). Each record is a
-- parcel that is sent; what was done is committed after each, without waiting for the answer. Members come one after the other.
-- The hunt draws what goes wrong.
--
--   mqlab score scenarios/hunt/members.lua --hunt 10000

local function packer(name, start_at)
  return consumer(name) {
    topics = { "orders" }, group = "packers", group_protocol = "consumer", auto_offset_reset = "earliest", auto_commit = "off",
    commit = "after", commit_async = true, work = ms(40), effect = "parcel", start_at = start_at, request_timeout = ms(800),
    reconnect_backoff_max = ms(200), retry_backoff_max = ms(200),
  }
end

return scenario {
  title = "A group, hunted",
  chapter = "docs/kafka/05-rebalancing.md",
  cluster = kafka {
    brokers = 3, controllers = 1, min_insync = 2, offsets_partitions = 1, heartbeat_interval = ms(500), session_timeout = ms(1500),
    replica_lag_max = seconds(2), replica_fetch_backoff = ms(200), request_timeout = seconds(1), consumer_heartbeat_interval = ms(400),
    consumer_session_timeout = ms(1500), group_assignment_interval = ms(200),
  },
  topics = { orders = { partitions = 2, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 20, every = ms(400), start_at = ms(500), linger = 0, request_timeout = ms(800), reconnect_backoff_max = ms(200) },
    packer("K1", ms(500)), packer("K2", ms(2500)), packer("K3", ms(4500)),
  },
  run_for = seconds(10),
  hunt = {
    faults = "anything", faults_max = 6,
    messages = { "FetchReply", "ConsumerGroupHeartbeat", "ConsumerGroupHeartbeatReply", "OffsetCommit", "OffsetCommitReply", "OffsetFetch", "OffsetFetchReply" },
  },
}
