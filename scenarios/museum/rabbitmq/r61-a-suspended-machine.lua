-- A machine that is suspended and resumed has never been away, if you ask it.
--
-- B1 leads the queue; its machine is suspended for two minutes, as when it is moved to another host. B2 and B3 take it
-- for down and B2 leads. Then B1 goes on where it stood. It sees the connection to B2 end and B2 connect again, then
-- the same of B3: at no moment does it see fewer than two nodes, so pause_minority does not pause it. Now two nodes
-- lead the queue. P1 goes on with B1, which confirms alone; C reads from B2. Nobody is cut off from anybody, and the
-- cluster stays apart until an operator restarts B1, as the documentation says one must. B1 then throws away what it
-- had confirmed.
--
-- With autoheal the nodes restart one side by themselves, with the same end. In a quorum queue B1 learns of a newer
-- term with the first answer that it gets, and what it had not confirmed goes to the new leader.
--
-- Source: RabbitMQ 3.13, Clustering and Network Partitions (partitions caused by suspend and resume).
return scenario {
  title = "Suspended, resumed, and leading as before",
  chapter = "docs/rabbitmq/04-quorum-queues-and-partitions.md",
  cluster = rabbitmq { profile = "3.13", brokers = 3, net_ticktime = seconds(30), cluster_partition_handling = "pause_minority" },
  topics = { orders = { ha_mode = "all", ha_sync_mode = "automatic" } },
  clients = {
    producer "P1" { topic = "orders", records = 60, every = seconds(4), start_at = seconds(10), connects_to = "B1", heartbeat = 0, confirm_timeout = seconds(300), recovery_interval = seconds(1) },
    consumer "C" { topics = { "orders" }, connects_to = "B2", recovery_interval = seconds(1) },
  },
  faults = {
    at(seconds(30), pause "B1" { duration = minutes(2) }),
    at(seconds(200), restart "B1" { duration = seconds(2) }),
  },
  run_for = seconds(270),
  expect = { reaches "paused" },
  cases = {
    case "pause_minority" {
      why = "It never sees itself in a minority.",
      expect = { reaches "partitioned", reaches "mirror_promoted", violates "lost-message" },
    },
    case "autoheal" {
      why = "One side restarts and forgets, as soon as they see each other again.",
      set = { cluster_partition_handling = "autoheal" },
      expect = { reaches "healing" },
    },
    case "quorum queue" {
      why = "Terms tell who leads.",
      set = { ha_mode = "none", queue_type = "quorum" },
      expect = { holds "lost-message" },
    },
  },
}
