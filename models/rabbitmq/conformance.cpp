// Recorded cases of a real RabbitMQ, carried out by a bare client on a broker of one node.
#include "sim/lab/conformance.h"

#include <fmt/format.h>

#include <algorithm>

#include "models/rabbitmq/broker.h"
#include "models/rabbitmq/model_parts.h"
#include "models/rabbitmq/tester.h"

namespace mqlab::rabbitmq {
namespace {

using Json = ConformanceJson;

constexpr Duration ms = 1'000'000;
constexpr Duration breath = 15 * ms;   // after a step, so that queues have done their work
constexpr Duration patience = 3'000 * ms;

// --- between JSON and AMQP ---

Table table_of(const Json& j);

FieldValue field_of(const Json& j) {
  if (j.is_boolean()) return FieldValue(j.get<bool>());
  if (j.is_number_integer()) {
    // amqplib takes the shortest type that holds the number.
    const auto n = j.get<std::int64_t>();
    const FieldType type = n >= -128 && n < 128 ? FieldType::int8 : n >= -0x8000 && n < 0x8000 ? FieldType::int16 : n >= -0x8000'0000LL && n < 0x8000'0000LL ? FieldType::int32 : FieldType::int64;
    return FieldValue::of_type(type, n);
  }
  if (j.is_number()) return FieldValue::real(j.get<double>());
  if (j.is_string()) return FieldValue(j.get<std::string>());
  if (j.is_object()) return FieldValue(table_of(j));
  if (j.is_array()) {
    std::vector<FieldValue> items;
    for (const Json& x : j) items.push_back(field_of(x));
    return FieldValue(std::move(items));
  }
  return {};
}

Table table_of(const Json& j) {
  Table t;
  for (const auto& [name, value] : j.items()) t.set(name, field_of(value));
  return t;
}

Json json_of(const Table& t);

Json json_of(const FieldValue& v) {
  switch (v.type) {
    case FieldType::void_: return nullptr;
    case FieldType::boolean: return v.number != 0;
    case FieldType::float32:
    case FieldType::float64: return v.as_double();
    case FieldType::longstr:
    case FieldType::binary: return v.text;
    case FieldType::array: {
      Json out = Json::array();
      for (const FieldValue& x : v.items) out.push_back(json_of(x));
      return out;
    }
    case FieldType::table: return json_of(v.fields);
    case FieldType::timestamp: return Json{{"timestamp", v.number}};
    default: return v.number;
  }
}

Json json_of(const Table& t) {
  Json out = Json::object();
  for (const Field& f : t) out[f.name] = json_of(f.value);
  return out;
}

// When a message died is not compared.
Json headers_of(const Table& t) {
  Json out = json_of(t);
  if (out.contains("x-death") && out.at("x-death").is_array())
    for (Json& death : out["x-death"]) death.erase("time");
  return out;
}

Json props_of(const Properties& p) {
  Json out = Json::object();
  const auto text = [&](const char* name, const std::string& value) {
    if (!value.empty()) out[name] = value;
  };
  text("content_type", p.content_type);
  text("content_encoding", p.content_encoding);
  if (p.delivery_mode) out["delivery_mode"] = *p.delivery_mode;
  if (p.priority) out["priority"] = *p.priority;
  text("correlation_id", p.correlation_id);
  text("reply_to", p.reply_to);
  text("expiration", p.expiration);
  text("message_id", p.message_id);
  if (p.timestamp) out["timestamp"] = *p.timestamp;
  text("type", p.type);
  text("user_id", p.user_id);
  text("app_id", p.app_id);
  return out;
}

Properties properties_of(const Json& op) {
  Properties p;
  const Json props = op.value("props", Json::object());
  // amqplib writes a delivery mode always.
  p.delivery_mode = props.value("delivery_mode", 1) == 2 ? std::uint8_t{2} : std::uint8_t{1};
  if (props.contains("priority")) p.priority = props.at("priority").get<std::uint8_t>();
  if (props.contains("timestamp")) p.timestamp = props.at("timestamp").get<std::int64_t>();
  p.expiration = props.value("expiration", "");
  p.message_id = props.value("message_id", "");
  p.correlation_id = props.value("correlation_id", "");
  p.reply_to = props.value("reply_to", "");
  p.user_id = props.value("user_id", "");
  p.app_id = props.value("app_id", "");
  p.type = props.value("type", "");
  p.content_type = props.value("content_type", "");
  p.content_encoding = props.value("content_encoding", "");
  return p;
}

Json error_json(const char* what, const Tester::Error& e) { return {{what, {{"code", e.code}, {"text", e.text}}}}; }

// ---------------------------------------------------------------------------------------------

constexpr const char* recorded = "3.10";  // the release that the cases were recorded from

class Driver : public ConformanceDriver {
 public:
  explicit Driver(BrokerSettings settings) : settings_(std::move(settings)) {}

  void begin() override {
    WorldOptions options;
    options.link = LinkOptions{.latency = 50'000, .spread = 0, .shape = LatencyShape::constant};
    world_ = std::make_unique<World>(1, options);
    for (const auto* all : {&message_declarations(), &cluster_message_declarations(), &mirror_message_declarations(), &quorum_message_declarations()})
      for (const MessageDecl& m : *all) world_->declare_message(m);
    auto cluster = std::make_shared<Cluster>();
    cluster->settings = settings_;
    cluster->brokers = {0};
    cluster->broker_names = {"B1"};
    NodeOptions b;
    b.name = "B1";
    b.role = "broker";
    broker_ = world_->add_node(std::make_unique<Broker>(cluster, 0), b);
    NodeOptions t;
    t.name = "T";
    t.role = "client";
    tester_ = world_->add_node(std::make_unique<Tester>(), t);
    let(ms);
  }

  Json observe(const Json& op, Saved& saved) override {
    saved_ = &saved;
    const auto it = operations().find(op.at("op").get<std::string>());
    if (it == operations().end()) throw BadCase(fmt::format("no operation `{}`", op.at("op").get<std::string>()));
    return (this->*it->second)(op);
  }

 private:
  using Operation = Json (Driver::*)(const Json&);
  static const std::map<std::string, Operation>& operations();

  Tester& t() { return world_->node_as<Tester>(tester_); }
  Context context() { return Context(*world_, tester_); }
  void let(Duration d) { world_->run_until(world_->now() + d); }

  template <class Pred>
  bool wait(Pred pred, Duration at_most) {
    const Time end = world_->now() + at_most;
    while (!pred() && world_->step(end)) {
    }
    if (pred()) return true;
    world_->run_until(end);
    return pred();
  }

  std::size_t connection(const std::string& name) {
    const auto it = t().connection_names.find(name);
    if (it != t().connection_names.end()) return it->second;
    const std::size_t index = t().connections.size();
    t().connections.emplace_back();
    t().connection_names[name] = index;
    Context c = context();
    t().connections[index].wire.connect(c, broker_, {}, 1);
    if (!wait([&] { return t().connections[index].wire.running(); }, patience)) throw BadCase("the broker does not let a connection in");
    return index;
  }

  std::size_t channel(const Json& op, const char* by_default, bool confirms = false) {
    const std::string name = op.value("ch", by_default);
    const auto it = t().channel_names.find(name);
    if (it != t().channel_names.end()) return it->second;
    const std::size_t conn = connection(op.value("conn", "c1"));
    Context c = context();
    t().open_channel(c, name, conn, confirms);
    const std::size_t index = t().channel_names.at(name);
    const std::size_t replies = confirms ? 2 : 1;
    wait([&] { return t().channels[index].replies.size() >= replies; }, patience);
    t().channels[index].replies.clear();
    return index;
  }

  Tester::Channel& ch(std::size_t i) { return t().channels[i]; }
  Wire& wire(std::size_t i) { return t().connections[t().of_channel[i]].wire; }

  Json failure(std::size_t i) {
    const auto& conn = t().connections[t().of_channel[i]];
    if (conn.error) return error_json("connection_error", *conn.error);
    if (ch(i).error) return error_json("channel_error", *ch(i).error);
    return error_json("channel_error", {0, "no answer"});
  }

  template <class M>
  void tell(std::size_t i, Kind k, M m) {
    if (ch(i).closed && k != Kind::channel_close) return;  // a client library refuses by itself
    Context c = context();
    wire(i).tell(c, ch(i).number, k, std::move(m));
  }

  // The reply; nothing when the channel or the connection was closed instead.
  template <class M>
  std::optional<Message> call(std::size_t i, Kind k, M m) {
    ch(i).replies.clear();
    tell(i, k, std::move(m));
    wait([&] { return !ch(i).replies.empty() || ch(i).closed; }, patience);
    if (ch(i).replies.empty()) return std::nullopt;
    const Message reply = ch(i).replies.front();
    ch(i).replies.pop_front();
    return reply;
  }

  template <class M>
  Json simple_call(const Json& op, Kind k, M m, const char* by_default = "A") {
    const std::size_t i = channel(op, by_default);
    if (!call(i, k, std::move(m))) return failure(i);
    let(breath);
    return "ok";
  }

  // A round trip on the channel, then a breath: what was sent without an answer has had its effect.
  std::optional<Json> settle(std::size_t i) {
    ExchangeDeclare d;
    d.exchange = "amq.direct";
    d.passive = true;
    if (!call(i, Kind::exchange_declare, d)) return failure(i);
    let(breath);
    if (ch(i).closed) return failure(i);
    return std::nullopt;
  }

  std::string body_of(const ContentRef& content) const { return world_->journal.names.text(static_cast<std::uint32_t>(content->message & ~named_message_bit)); }

  Json message(const BasicDeliver& d, const Json& op, std::optional<std::size_t> on) {
    if (on) ch(*on).latest[d.content->message] = d.delivery_tag;
    const Json props = props_of(d.content->properties);
    const Json wanted = op.value("save_prop", Json::object());
    for (const auto& [name, property] : wanted.items()) saved_->set(name, props.value(property.get<std::string>(), ""));
    Json out = Json::object();
    const std::string body = body_of(d.content);
    if (op.value("sizes", false)) out["body"] = body.size();
    else out["body"] = body;
    out["redelivered"] = d.redelivered;
    bool body_only = false;
    for (const Json& show : op.value("show", Json::array())) {
      if (show == "routing_key") out["routing_key"] = d.routing_key;
      else if (show == "exchange") out["exchange"] = d.exchange;
      else if (show == "headers") out["headers"] = headers_of(d.headers);
      else if (show == "props") out["props"] = props;
      else if (show == "remaining") out["remaining"] = d.remaining;
      else if (show == "tag") out["tag"] = d.tag;
      else if (show == "delivery_tag") out["delivery_tag"] = d.delivery_tag;
      else if (show == "body_only") body_only = true;
    }
    if (body_only) out.erase("redelivered");
    if (body_only && out.size() == 1) return out.at("body");
    return out;
  }

  // --- operations ---

  Json op_sleep(const Json& op) {
    let(op.at("ms").get<std::int64_t>() * ms);
    return nullptr;
  }
  Json op_channel_open(const Json& op) {
    channel(op, "A", op.value("confirm", false));
    return "ok";
  }
  Json op_channel_close(const Json& op) {
    const std::size_t i = channel(op, "A");
    t().forget_channel(i);
    call(i, Kind::channel_close, Close{200, "", ""});
    let(breath);
    return "ok";
  }
  Json op_conn_open(const Json& op) {
    connection(op.value("conn", "c1"));
    return "ok";
  }
  Json op_conn_close(const Json& op) {
    const std::size_t i = connection(op.value("conn", "c1"));
    Context c = context();
    t().connections[i].wire.close(c);
    let(3 * breath);
    return "ok";
  }
  Json op_conn_kill(const Json& op) {
    const std::size_t i = connection(op.value("conn", "c1"));
    Context c = context();
    const ConnId id = t().connections[i].wire.id();
    c.close(id);
    t().on_closed(c, id, broker_, CloseReason::closed);
    let(5 * breath);
    return "ok";
  }
  Json op_exchange_declare(const Json& op) {
    ExchangeDeclare d;
    d.exchange = op.at("exchange").get<std::string>();
    d.type = op.value("type", "direct");
    d.passive = op.value("passive", false);
    d.durable = op.value("durable", false);
    d.auto_delete = op.value("auto_delete", false);
    d.internal = op.value("internal", false);
    d.args = table_of(op.value("args", Json::object()));
    return simple_call(op, Kind::exchange_declare, std::move(d));
  }
  Json op_exchange_delete(const Json& op) {
    return simple_call(op, Kind::exchange_delete, ExchangeDelete{op.at("exchange").get<std::string>(), op.value("if_unused", false)});
  }
  ExchangeBind exchange_bind(const Json& op) const {
    return {op.at("destination").get<std::string>(), op.at("source").get<std::string>(), op.value("routing_key", ""), table_of(op.value("args", Json::object()))};
  }
  Json op_exchange_bind(const Json& op) { return simple_call(op, Kind::exchange_bind, exchange_bind(op)); }
  Json op_exchange_unbind(const Json& op) { return simple_call(op, Kind::exchange_unbind, exchange_bind(op)); }
  QueueBind queue_bind(const Json& op) const {
    return {op.at("queue").get<std::string>(), op.at("exchange").get<std::string>(), op.value("routing_key", ""), table_of(op.value("args", Json::object()))};
  }
  Json op_queue_bind(const Json& op) { return simple_call(op, Kind::queue_bind, queue_bind(op)); }
  Json op_queue_unbind(const Json& op) { return simple_call(op, Kind::queue_unbind, queue_bind(op)); }

  Json op_queue_declare(const Json& op) {
    const std::size_t i = channel(op, "A");
    QueueDeclare d;
    d.queue = op.value("queue", "");
    d.passive = op.value("passive", false);
    d.durable = op.value("durable", false);
    d.exclusive = op.value("exclusive", false);
    d.auto_delete = op.value("auto_delete", false);
    d.args = table_of(op.value("args", Json::object()));
    const bool passive = d.passive;
    const auto reply = call(i, Kind::queue_declare, std::move(d));
    if (!reply) return failure(i);
    const auto& ok = method_as<QueueDeclareOk>(reply->payload);
    if (passive) return {{"messages", ok.messages}, {"consumers", ok.consumers}};
    if (op.contains("save")) saved_->set(op.at("save").get<std::string>(), ok.queue);
    return {{"queue", ok.queue}, {"messages", ok.messages}, {"consumers", ok.consumers}};
  }
  Json op_queue_status(const Json& op) {
    Json passive = op;
    passive["ch"] = fmt::format("status {}", t().channels.size());
    passive["passive"] = true;
    const Json out = op_queue_declare(passive);
    if (t().channel_names.count(passive["ch"].get<std::string>())) op_channel_close(passive);
    return out;
  }
  Json counted_call(const Json& op, std::optional<Message> reply, std::size_t i) {
    if (!reply) return failure(i);
    let(breath);
    (void)op;
    return {{"messages", method_as<MessageCount>(reply->payload).messages}};
  }
  Json op_queue_delete(const Json& op) {
    const std::size_t i = channel(op, "A");
    return counted_call(op, call(i, Kind::queue_delete, QueueDelete{op.at("queue").get<std::string>(), op.value("if_unused", false), op.value("if_empty", false)}), i);
  }
  Json op_queue_purge(const Json& op) {
    const std::size_t i = channel(op, "A");
    return counted_call(op, call(i, Kind::queue_purge, QueuePurge{op.at("queue").get<std::string>()}), i);
  }

  BasicPublish publish_of(const Json& op, const std::string& body) {
    BasicPublish m;
    m.exchange = op.value("exchange", "");
    m.routing_key = op.value("routing_key", "");
    m.mandatory = op.value("mandatory", false);
    m.message = named_message(world_->journal.names.id(body));
    m.size = static_cast<std::uint32_t>(body.size());
    m.properties = properties_of(op);
    m.headers = table_of(op.value("headers", Json::object()));
    for (const auto& [field, header] : {std::pair{"cc", "CC"}, std::pair{"bcc", "BCC"}})
      if (op.contains(field)) m.headers.set(header, field_of(op.at(field)));
    return m;
  }

  Json op_publish(const Json& op) {
    const std::size_t i = channel(op, "P", op.value("confirm", true));
    std::vector<std::string> bodies;
    if (op.contains("bodies")) bodies = op.at("bodies").get<std::vector<std::string>>();
    else if (op.contains("body_size")) bodies.push_back(std::string(op.at("body_size").get<std::size_t>(), 'x'));
    else bodies.push_back(op.value("body", ""));
    Json out = Json::array();
    for (const std::string& body : bodies) {
      if (!ch(i).confirms) {
        tell(i, Kind::basic_publish, publish_of(op, body));
        continue;
      }
      const std::size_t seen = ch(i).returns.size();
      const std::uint64_t number = ch(i).next_publish++;
      tell(i, Kind::basic_publish, publish_of(op, body));
      wait([&] { return ch(i).decided.count(number) > 0 || ch(i).closed; }, op.value("wait", 3000) * ms);
      if (ch(i).closed) {
        out.push_back(failure(i));
        break;
      }
      const auto decided = ch(i).decided.find(number);
      const Json confirm = decided == ch(i).decided.end() ? "none" : decided->second ? "ack" : "nack";
      if (ch(i).returns.size() == seen) {
        out.push_back(confirm);
        continue;
      }
      out.push_back({{"confirm", confirm}, {"returned_before_confirm", returns_json(i, seen)}});
    }
    let(breath);
    if (!ch(i).confirms) {
      if (const auto e = settle(i)) return *e;
      if (ch(i).returns.empty()) return "sent";
      Json returned = {{"returned", returns_json(i, 0)}};
      ch(i).returns.clear();
      return returned;
    }
    return op.contains("bodies") ? out : out.at(0);
  }
  Json returns_json(std::size_t i, std::size_t from) {
    Json out = Json::array();
    for (std::size_t n = from; n < ch(i).returns.size(); ++n) {
      const BasicReturn& r = ch(i).returns[n];
      out.push_back({{"code", r.code}, {"text", r.text}, {"exchange", r.exchange}, {"routing_key", r.routing_key}});
    }
    return out;
  }

  Json op_publish_batch(const Json& op) {
    const std::size_t i = channel(op, "P", true);
    const auto n = op.at("n").get<std::uint64_t>();
    const std::uint64_t first = ch(i).next_publish;
    ch(i).order.clear();
    for (std::uint64_t k = 1; k <= n; ++k) {
      ++ch(i).next_publish;
      tell(i, Kind::basic_publish, publish_of(op, fmt::format("{}{}", op.value("prefix", "m"), k)));
    }
    wait([&] { return ch(i).order.size() >= n || ch(i).closed; }, patience);
    if (ch(i).closed) return failure(i);
    let(breath);
    std::uint64_t acked = 0;
    for (std::uint64_t k = first; k < first + n; ++k) acked += ch(i).decided[k];
    if (op.value("order", false)) return {{"acked", acked}, {"in_order", std::is_sorted(ch(i).order.begin(), ch(i).order.end())}};
    return {{"acked", acked}, {"nacked", n - acked}};
  }

  // One message, {"empty": true} or an error, which ends whatever was wanted.
  Json get_one(std::size_t i, const Json& op, bool no_ack, bool& more) {
    const auto reply = call(i, Kind::basic_get, BasicGet{op.at("queue").get<std::string>(), no_ack});
    more = false;
    if (!reply) return failure(i);
    if (static_cast<Kind>(reply->kind) == Kind::basic_get_empty) return {{"empty", true}};
    more = true;
    return message(method_as<BasicDeliver>(reply->payload), op, no_ack ? std::nullopt : std::optional(i));
  }
  Json op_get(const Json& op) {
    bool more = false;
    return get_one(channel(op, "A"), op, op.value("no_ack", false), more);
  }
  Json get_many(const Json& op, std::size_t i, bool no_ack, std::size_t most) {
    Json out = Json::array();
    while (out.size() < most) {
      bool more = false;
      Json one = get_one(i, op, no_ack, more);
      if (!more) return one.contains("empty") ? out : one;
      out.push_back(std::move(one));
    }
    return out;
  }
  Json op_get_n(const Json& op) { return get_many(op, channel(op, "A"), op.value("no_ack", false), op.at("n").get<std::size_t>()); }
  Json op_drain(const Json& op) { return get_many(op, channel(op, "D"), true, 10'000); }

  Json op_consume(const Json& op) {
    const std::size_t i = channel(op, "A");
    BasicConsume m;
    m.queue = op.at("queue").get<std::string>();
    m.tag = op.value("tag", "");
    m.no_ack = op.value("no_ack", false);
    m.exclusive = op.value("exclusive", false);
    m.args = table_of(op.value("args", Json::object()));
    const auto reply = call(i, Kind::basic_consume, std::move(m));
    if (!reply) return failure(i);
    let(breath);
    return {{"tag", method_as<ConsumerTag>(reply->payload).tag}};
  }
  Json op_cancel(const Json& op) { return simple_call(op, Kind::basic_cancel, ConsumerTag{op.at("tag").get<std::string>()}); }

  Json take_inbox(const std::string& tag, const Json& op) {
    Json out = Json::array();
    auto& box = t().inbox[tag];
    for (const Tester::Arrival& a : box) {
      if (a.delivery) out.push_back(message(*a.delivery, op, a.channel));
      else out.push_back({{"cancelled", true}});
    }
    box.clear();
    return out;
  }
  void receive(const std::vector<std::string>& tags, const Json& op) {
    const auto n = op.value("n", std::size_t{0});
    wait([&] {
      std::size_t have = 0;
      for (const std::string& tag : tags) have += t().inbox[tag].size();
      return have >= n;
    }, op.value("wait", 1500) * ms);
    let(op.value("quiet", 80) * ms);
  }
  Json op_recv(const Json& op) {
    const auto tag = op.at("tag").get<std::string>();
    receive({tag}, op);
    return take_inbox(tag, op);
  }
  Json op_recv_any(const Json& op) {
    const auto tags = op.at("tags").get<std::vector<std::string>>();
    receive(tags, op);
    Json out = Json::object();
    for (const std::string& tag : tags) out[tag] = take_inbox(tag, op);
    return out;
  }

  Json op_qos(const Json& op) {
    return simple_call(op, Kind::basic_qos, BasicQos{op.value("size", 0U), op.at("count").get<std::uint32_t>(), op.value("global", false)});
  }
  Json op_recover(const Json& op) { return simple_call(op, Kind::basic_recover, BasicRecover{op.value("requeue", true)}); }

  Json op_settle(const Json& op) {
    const std::size_t i = channel(op, "A");
    std::vector<std::uint64_t> tags;
    if (op.contains("delivery_tag")) {
      tags.push_back(op.at("delivery_tag").get<std::uint64_t>());
    } else {
      const Json& msg = op.at("msg");
      for (const Json& body : msg.is_array() ? msg : Json::array({msg})) {
        const auto it = ch(i).latest.find(named_message(world_->journal.names.id(body.get<std::string>())));
        if (it == ch(i).latest.end()) throw BadCase(fmt::format("no delivery of {} on this channel", body.dump()));
        tags.push_back(it->second);
      }
    }
    for (const std::uint64_t tag : tags) {
      if (op.at("op") == "ack") tell(i, Kind::basic_ack, BasicAck{tag, op.value("multiple", false)});
      else if (op.at("op") == "nack") tell(i, Kind::basic_nack, BasicNack{tag, op.value("multiple", false), op.value("requeue", true)});
      else tell(i, Kind::basic_reject, BasicNack{tag, false, op.value("requeue", true)});
    }
    if (const auto e = settle(i)) return *e;
    return "ok";
  }

  BrokerSettings settings_;
  std::unique_ptr<World> world_;
  NodeId broker_ = 0;
  NodeId tester_ = 0;
  Saved* saved_ = nullptr;
};

const std::map<std::string, Driver::Operation>& Driver::operations() {
  static const std::map<std::string, Operation> all = {
      {"sleep", &Driver::op_sleep}, {"channel.open", &Driver::op_channel_open}, {"channel.close", &Driver::op_channel_close},
      {"conn.open", &Driver::op_conn_open}, {"conn.close", &Driver::op_conn_close}, {"conn.kill", &Driver::op_conn_kill},
      {"exchange.declare", &Driver::op_exchange_declare}, {"exchange.delete", &Driver::op_exchange_delete},
      {"exchange.bind", &Driver::op_exchange_bind}, {"exchange.unbind", &Driver::op_exchange_unbind},
      {"queue.declare", &Driver::op_queue_declare}, {"queue.status", &Driver::op_queue_status}, {"queue.delete", &Driver::op_queue_delete},
      {"queue.purge", &Driver::op_queue_purge}, {"queue.bind", &Driver::op_queue_bind}, {"queue.unbind", &Driver::op_queue_unbind},
      {"publish", &Driver::op_publish}, {"publish_batch", &Driver::op_publish_batch}, {"get", &Driver::op_get}, {"get_n", &Driver::op_get_n},
      {"drain", &Driver::op_drain}, {"consume", &Driver::op_consume}, {"cancel", &Driver::op_cancel}, {"recv", &Driver::op_recv},
      {"recv_any", &Driver::op_recv_any}, {"qos", &Driver::op_qos}, {"recover", &Driver::op_recover}, {"ack", &Driver::op_settle},
      {"nack", &Driver::op_settle}, {"reject", &Driver::op_settle}};
  return all;
}

}  // namespace

std::unique_ptr<ConformanceDriver> conformance_of(std::string_view system, const std::vector<Setting>& settings) {
  if (system != "rabbitmq") return nullptr;
  const ModelDecl decl = declare_model();
  const std::vector<OptionDecl> decls = declared_options();
  Options cluster = *profile_defaults(decl, recorded, "cluster");
  for (const Setting& s : settings) {
    if (!find_option(decls, "cluster", s.name)) throw BadCase(fmt::format("a cluster has no option `{}`: `mqlab models rabbitmq` lists them", s.name));
    if (const auto error = s.from_text ? cluster.set_text(decls, "cluster", s.name, to_text(s.value)) : cluster.set(decls, "cluster", s.name, s.value)) throw BadCase(*error);
  }
  return std::make_unique<Driver>(broker_settings(cluster, recorded));
}

}  // namespace mqlab::rabbitmq
