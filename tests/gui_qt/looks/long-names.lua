-- Names as they are in a company: long, and many begin alike.
return scenario {
  title = "The warehouse of the western region tells the billing of the eastern region of everything that has left it, and hears nothing back",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = {
    ["warehouse.western-region.goods-that-have-left"] = { partitions = 2, replicas = 3 },
    ["warehouse.western-region.goods-that-have-come-back"] = { partitions = 1, replicas = 3 },
  },
  clients = {
    producer "warehouse-gateway-western-region-01" { topic = "warehouse.western-region.goods-that-have-left", records = 12, every = ms(500), start_at = seconds(4), acks = "all" },
    producer "warehouse-gateway-western-region-02" { topic = "warehouse.western-region.goods-that-have-come-back", records = 12, every = ms(500), start_at = seconds(4), acks = "0" },
    consumer "billing-projection-eastern-region-01" { topics = { "warehouse.western-region.goods-that-have-left", "warehouse.western-region.goods-that-have-come-back" }, group = "billing-projection-eastern-region", auto_offset_reset = "earliest" },
    consumer "billing-projection-eastern-region-02" { topics = { "warehouse.western-region.goods-that-have-left" }, group = "billing-projection-eastern-region", auto_offset_reset = "earliest" },
  },
  faults = {
    at(seconds(6), partition { { "warehouse-gateway-western-region-01", "billing-projection-eastern-region-01" }, { "rest" }, duration = seconds(5), label = "the line between the regions" }),
  },
  run_for = seconds(30),
  cases = {
    case "as it was before the two regions were joined" { set = { acks = "all" } },
    case "as it is now" { set = { acks = "0" } },
  },
}
