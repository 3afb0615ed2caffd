#include "sim/lab/outside.h"

#include <fmt/format.h>

#include <algorithm>

namespace mqlab {
namespace {

constexpr FileId log_file = 0;
constexpr TimerKind tell_timer = 1;  // argument: serial of the record that is safe by now

}  // namespace

void Outside::on_start(Context& c) {
  for (const Record& r : log_) take(r);
  c.truncate(log_file, static_cast<std::int64_t>(log_.size()));
  // Done, and the process died before the row was written.
  if (!log_.empty() && log_.back().serial > told_) c.set_timer(0, tell_timer, static_cast<std::uint64_t>(log_.back().serial));
}

void Outside::on_crash(const Crash& crash) {
  keys_.clear();
  tokens_.clear();
  if (crash.wipe || crash.files.empty()) log_.clear();
  for (const Survivor& s : crash.files) {
    if (s.file != log_file) continue;
    const std::int64_t kept = s.corrupt.empty() ? s.kept : std::min(s.kept, s.corrupt.front());
    log_.resize(std::min(log_.size(), static_cast<std::size_t>(kept)));
  }
}

void Outside::take(const Record& r) {
  if (!r.request.idempotency_key.empty() && settings_.idempotency_keys) keys_[r.request.idempotency_key] = r;
  if (r.request.token && r.error.empty()) {
    std::int64_t& highest = tokens_.try_emplace(r.request.key, *r.request.token).first->second;
    highest = std::max(highest, *r.request.token);
  }
}

void Outside::tell(Context& c, std::int64_t up_to) {
  for (const Record& r : log_) {
    if (r.serial <= told_ || r.serial > up_to || !r.error.empty()) continue;
    Op op;
    op.kind = OpKind::effect;
    op.outcome = Outcome::ok;
    op.place = c.names().id(r.request.name);
    op.message = r.request.message;
    op.key = r.request.key;
    op.subscription = c.names().id(c.name(c.self()));
    c.record_for(op, r.client);
  }
  told_ = std::max(told_, up_to);
}

void Outside::on_timer(Context& c, TimerKind, std::uint64_t argument) { tell(c, static_cast<std::int64_t>(argument)); }

void Outside::on_message(Context& c, const Message& m) {
  const auto& in = service_payload<EffectRequest>(m.payload);
  EffectReply out;
  const auto reply = [&] { c.reply(m, kind(ServiceKind::effect_reply), make_payload<ServicePayload<EffectReply>>(out), 96, m.word); };
  if (settings_.idempotency_keys && !in.idempotency_key.empty()) {
    const auto it = keys_.find(in.idempotency_key);
    const bool known = it != keys_.end() && (settings_.remember == 0 || c.wall() < it->second.wall + settings_.remember);
    if (known) {
      const EffectRequest& first = it->second.request;
      if (first.name != in.name || first.message != in.message) {
        out.error = "KEY_REUSED";
      } else {
        out.error = it->second.error;
        out.repeated = true;
        c.mark("effect_repeated", {}, fmt::format("{} with key {} was done before", in.name, in.idempotency_key));
      }
      return reply();
    }
  }
  if (settings_.fencing) {
    const auto it = tokens_.find(in.key);
    if (!in.token || (it != tokens_.end() && *in.token < it->second)) {
      out.error = in.token ? "STALE_TOKEN" : "NO_TOKEN";
      c.mark("effect_fenced", {}, in.token ? fmt::format("{} with token {}, and {} was seen before", in.name, *in.token, it->second) : in.name + " without a token");
      return reply();
    }
  }
  Record r;
  r.client = m.from;
  r.request = in;
  r.wall = c.wall();
  if (settings_.declines > 0 && c.random().chance({static_cast<std::uint64_t>(settings_.declines), 100})) r.error = out.error = "DECLINED";
  if (c.write(log_file, static_cast<std::int64_t>(log_.size()) + 1, 128) != DiskResult::ok || c.sync(log_file) != DiskResult::ok) {
    out.error = "UNAVAILABLE";  // nothing was done: what can't be written down is not done
    c.truncate(log_file, static_cast<std::int64_t>(log_.size()));
    return reply();
  }
  r.serial = next_serial_++;
  log_.push_back(r);
  take(r);
  c.set_timer(c.cost(), tell_timer, static_cast<std::uint64_t>(r.serial));
  c.mark(r.error.empty() ? "effect_done" : "effect_declined", {}, in.name);
  reply();
}

Tree Outside::state() const {
  Tree t{"outside", {}, {}};
  std::map<std::string, std::size_t> counts;
  for (const Record& r : log_)
    if (r.error.empty()) ++counts[r.request.name];
  for (const auto& [name, n] : counts) t.add(name, fmt::format("{} times", n));
  t.add("keys remembered", std::to_string(keys_.size()));
  return t;
}

}  // namespace mqlab
