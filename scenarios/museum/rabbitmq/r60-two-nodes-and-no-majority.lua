-- Half is not a majority: of two nodes both pause.
--
-- Two nodes with pause_minority. A cut between them, and each sees one of two. Each stops serving, so that it does
-- nothing that the other does not know of. Both are alive, P1 and C reach one of them, and nobody gets anything done
-- until the cut heals. With three nodes one side has two of them and goes on.
--
-- Source: RabbitMQ 3.13, Clustering and Network Partitions (pause_minority: not for clusters of two nodes).
local function publish(c)
  local stored, refused = 0, 0
  for n = 1, 40 do
    if c:send("orders", ("order %d"):format(n)).ok then stored = stored + 1 else refused = refused + 1 end
    c:sleep(seconds(1))
  end
  c:mark("stored", ("%d messages"):format(stored))
  if refused > 0 then c:mark("nobody_serves", ("%d sends found no node that takes them"):format(refused)) end
  if refused == 0 then c:mark("always_served") end
end

return scenario {
  title = "pause_minority with two nodes",
  chapter = "docs/rabbitmq/04-quorum-queues-and-partitions.md",
  cluster = rabbitmq { profile = "3.13", brokers = 2, net_ticktime = seconds(10), cluster_partition_handling = "pause_minority" },
  topics = { orders = { ha_mode = "all" } },
  marks = { "stored", "nobody_serves", "always_served" },
  clients = {
    client "P1" { program = publish, group = "g", connects_to = "B1", recovery_interval = seconds(1), send_timeout = seconds(2) },
    consumer "C" { topics = { "orders" }, group = "g", connects_to = "B1", recovery_interval = seconds(1) },
  },
  faults = {
    at(seconds(20), isolate "B2" { duration = seconds(40) }),
  },
  run_for = seconds(120),
  expect = { reaches "paused_in_minority", reaches "pause_over", holds "lost-message" },
  cases = {
    case "two nodes" {
      why = "One of two is no majority, on either side.",
      expect = { reaches "nobody_serves" },
    },
    case "three nodes" {
      why = "Two of three are, and the third waits.",
      set = { ["cluster.brokers"] = 3 },
      expect = { reaches "always_served" },
    },
  },
}
