-- Nine brokers, fifteen writers, fifteen readers in three groups, and a network that falls into parts.
local clients = {}
for i = 1, 15 do
  clients[#clients + 1] = producer("P" .. i) { topic = "orders", records = 20, every = ms(200), start_at = seconds(4) + ms(13 * i), acks = "1" }
  clients[#clients + 1] = consumer("R" .. i) { topics = { "orders" }, group = "group-" .. (i % 3 + 1), auto_offset_reset = "earliest" }
end
return scenario {
  title = "Many nodes",
  cluster = kafka { brokers = 9, controllers = 3, min_insync = 2 },
  topics = { orders = { partitions = 9, replicas = 3 } },
  clients = clients,
  faults = {
    at(seconds(5), partition { { "B1", "B2", "B3" }, { "B4", "B5", "B6" }, duration = seconds(4) }),
    at(seconds(6), kill "B9" { duration = seconds(3) }),
    at(seconds(6), pause "B8" { duration = seconds(3) }),
    at(seconds(6), latency { from = "P1", to = "B1", amount = ms(50), duration = seconds(3) }),
    at(seconds(6), isolate "C1" { traffic = "heartbeat", duration = seconds(3) }),
    at(seconds(6), slow "B7" { ratio = 10, duration = seconds(3) }),
  },
  run_for = seconds(15),
}
