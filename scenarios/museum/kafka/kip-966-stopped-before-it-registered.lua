-- Is a replica that was always stopped in good order always trusted?
--
-- Since 4.0 a controller remembers who was still complete when the ISR fell below min.insync: the
-- eligible leader replicas. Who crashes leaves that list, for its disk may have lost what was not
-- flushed. How does the controller tell a crash from a stop? A broker that is stopped flushes its
-- logs and leaves a file with the epoch under which it was registered; when it registers again, it
-- shows that epoch.
--
-- B2 and B3 are stopped in good order, B3 last, so B3 is complete. Then B1, the leader, loses
-- power, and what it had not flushed. B3 is to take over, and is started at once. The controller
-- refuses it: for nine seconds its former life may still be alive. It has loaded its logs meanwhile,
-- and with that removed the file. Somebody takes it for broken, stops it and starts it again later.
-- A broker that is stopped before its start is over writes no file. B3 has lost nothing, but nothing
-- proves it any more: the controller takes it for a crash. Nobody is left on the list, the last
-- known leader is taken for want of better, and that is B1, with an empty log.
--
-- A B3 that is left alone until it has registered leads, and all is there. No setting of the
-- product makes the first story end well; waiting for a broker to register before stopping it
-- again does.
--
-- Found by a search over random schedules; seen with Kafka 4.3.1. Source: KIP-966;
-- BrokerServer.shutdown does nothing before STARTED; LogManager.loadLogs deletes the file;
-- ClusterControlManager.registerBroker.
return scenario {
  title = "Stopped twice, trusted no more",
  chapter = "docs/kafka/02-replication-and-acks.md",
  cluster = kafka { profile = "4.3", brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 20, every = ms(200), start_at = seconds(2) },
    consumer "K" { topics = { "orders" }, auto_offset_reset = "earliest" },
  },
  faults = {
    at(seconds(7), stop "B2"),
    at(seconds(10), stop "B3"),
    at(seconds(11), power "B1"),
    at(seconds(12), restart "B3"),
    at(seconds(50), restart "B1"),
  },
  run_for = seconds(80),
  expect = { reaches "power_lost" },
  cases = {
    case "stopped again at once" {
      why = "The second stop leaves no file.",
      faults = { at(seconds(15), stop "B3"), at(seconds(30), restart "B3") },
      expect = { violates "lost-message", reaches "unclean_election" },
    },
    case "left alone until it leads" {
      why = "B3 shows the epoch of its first stop, and is trusted.",
      expect = { holds "lost-message" },
    },
  },
}
