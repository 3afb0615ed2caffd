-- Orders as they are sent here: three brokers, three copies, and one machine may be in trouble at a time.
return scenario {
  title = "Orders",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 60, every = ms(50), start_at = seconds(3), acks = "all", delivery_timeout = seconds(120) },
    consumer "K1" { topics = { "orders" }, group = "shipping", auto_offset_reset = "earliest" },
  },
  run_for = seconds(30),
  hunt = { faults = "one machine", faults_max = 4 },
  cases = {
    case "as designed" { why = "acks=all: two brokers have what was acknowledged." },
    case "as it was once" { why = "acks=1: the leader alone.", set = { ["P1.acks"] = "1" } },
  },
}
