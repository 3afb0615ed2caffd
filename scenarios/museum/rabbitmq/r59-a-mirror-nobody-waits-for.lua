-- pause_minority stops the smaller side. It does not stop it in time.
--
-- Five nodes, a queue with three copies on B1, B2 and B3, synchronised automatically, as Jepsen tested it in 2014. A
-- cut comes in two steps: first between B1, B2 and B3, sixteen seconds later between B1, B2 and all others. What P1
-- publishes meanwhile waits, for B3 does not answer. After net_ticktime B1 takes B3 for down. It still sees three of
-- five nodes: it is in the majority, drops the mirror, and confirms all that waited for it. Only then are B4 and B5
-- found to be gone, and B1 pauses. On the other side B3 leads with what it had before the cut; when the cut heals, B1
-- and B2 come back with empty mirrors. Everything that was confirmed in between is gone.
--
-- If all connections go at once, B1 sees at once that it is in a minority, and confirms nothing more. A quorum queue
-- counts copies, not nodes that seem to be there.
--
-- Source: RabbitMQ 3.13, Clustering and Network Partitions (pause_minority); Kingsbury, Jepsen: RabbitMQ (2014), which
-- saw the loss; that it comes about so is read from rabbit_node_monitor and rabbit_mirror_queue_misc.
return scenario {
  title = "Confirmed by a side that was about to pause",
  chapter = "docs/rabbitmq/04-quorum-queues-and-partitions.md",
  cluster = rabbitmq { profile = "3.13", brokers = 5, net_ticktime = seconds(30), cluster_partition_handling = "pause_minority" },
  topics = { orders = { ha_mode = "exactly", ha_params = 3, ha_sync_mode = "automatic" } },
  clients = {
    producer "P1" { topic = "orders", records = 40, every = seconds(1), start_at = seconds(10), connects_to = "B1", heartbeat = seconds(60), confirm_timeout = seconds(90), recovery_interval = seconds(1) },
    consumer "C" { topics = { "orders" }, start_at = seconds(110), connects_to = "B4", recovery_interval = seconds(1) },
  },
  run_for = seconds(170),
  expect = { reaches "node_down" },
  cases = {
    case "in two steps" {
      why = "Whoever waits for a mirror waits until it is down, and not until it is known who is in the majority.",
      faults = {
        at(seconds(20), one_way { from = { "B1", "B2" }, to = "B3" }, one_way { from = "B3", to = { "B1", "B2" } }),
        at(seconds(36), partition { { "B1", "B2", "P1" }, { "B3", "B4", "B5", "C" } }),
        at(seconds(100), heal()),
      },
      expect = { reaches "paused_in_minority", reaches "mirror_promoted", violates "lost-message" },
    },
    case "at once" {
      why = "The smaller side pauses before it confirms.",
      faults = {
        at(seconds(20), partition { { "B1", "B2", "P1" }, { "B3", "B4", "B5", "C" } }),
        at(seconds(100), heal()),
      },
      expect = { reaches "paused_in_minority", reaches "mirror_promoted", holds "lost-message" },
    },
    case "in two steps, quorum queue" {
      why = "A majority has it, or it is not confirmed.",
      set = { ha_mode = "none", queue_type = "quorum" },
      faults = {
        at(seconds(20), one_way { from = { "B1", "B2" }, to = "B3" }, one_way { from = "B3", to = { "B1", "B2" } }),
        at(seconds(36), partition { { "B1", "B2", "P1" }, { "B3", "B4", "B5", "C" } }),
        at(seconds(100), heal()),
      },
      expect = { holds "lost-message" },
    },
  },
}
