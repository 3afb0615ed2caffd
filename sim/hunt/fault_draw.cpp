#include "sim/hunt/fault_draw.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sim/hunt/fault_fields.h"
#include "sim/hunt/victims.h"

namespace mqlab {
namespace {

constexpr Duration ms = 1'000'000;
constexpr Duration second = 1'000 * ms;
constexpr Duration strike_span = 200 * ms;
constexpr std::uint64_t shadow_rows = 4;  // faults that the shadow of a message takes
constexpr std::uint64_t rare_max = 24;    // of a run, whoever sends it
constexpr std::uint64_t echo_rows = 2;    // faults that the echo of a message takes

bool ends_process(FaultKind k) { return k == FaultKind::kill || k == FaultKind::power || k == FaultKind::wipe || k == FaultKind::stop; }

class FaultDraw {
 public:
  FaultDraw(const Ground& g, const Toolbox& t, const PlanSpace& s, Random& random, bool quick)
      : g_(g), t_(t), s_(s), draws_(random), quick_random_(copy_of(random).next(), Stream::scenario, 7), quick_(quick_random_), shadow_random_(copy_of(random).next(), Stream::scenario, 8), shadow_(shadow_random_), echo_random_(copy_of(random).next(), Stream::scenario, 9), echo_(echo_random_), victims_(g, s.budget, draws_), window_(g.until - g.from), may_be_quick_(quick) {}

  std::vector<PlannedFault> all() {
    choose_what_is_in_play();
    std::uint64_t count = 1 + draws_.below(s_.faults_max);
    const Happening* held = what_to_hold();
    const std::vector<const Happening*> echoed = held ? std::vector<const Happening*>() : what_to_echo();
    if (held) count = std::min(count, s_.faults_max - shadow_rows);
    if (!echoed.empty()) count = echo_.chance(1, 2) ? 0 : std::min(count, s_.faults_max - echo_rows * echoed.size());
    std::uint64_t servers = 0;
    for (std::uint64_t i = 0; i < count && out_.size() + servers < count; ++i) switch (layer()) {
        case server_layer: ++servers; break;
        case client_layer: client_fault(); break;
        case message_layer: message_fault(count - out_.size() - servers); break;
        case verb_layer: verb(count - out_.size() - servers); break;
      }
    if (servers > 0) server_faults(servers);
    tie();
    if (held) shadow_of(*held);
    for (const Happening* h : echoed) echo_of(*h);
    std::stable_sort(out_.begin(), out_.end(), [](const PlannedFault& a, const PlannedFault& b) { return due(a) < due(b); });
    return std::move(out_);
  }

  std::vector<PlannedFault> strikes() {
    choose_what_is_in_play();
    std::vector<int> all;
    if (!server_kinds_.empty() && victims_.possible()) all.insert(all.end(), 3, server_layer);
    if (!message_kinds_.empty() && !messages_.empty()) all.insert(all.end(), 2, message_layer);
    if (!verbs_.empty()) all.push_back(verb_layer);
    // Below `anything` one group of servers comes to harm, whichever strikes are for servers.
    const bool one_group = s_.budget != FaultBudget::anything;
    const Victims group = one_group && victims_.possible() ? victims_.group(false) : Victims{};
    if (one_group) std::erase_if(server_kinds_, [&](const DrawnKind& k) { return k.lingers || (k.kind == FaultKind::power && !victims_.power_stays_within(group)); });
    if (server_kinds_.empty()) std::erase(all, static_cast<int>(server_layer));
    const Duration span = draws_.length(strike_span);
    for (std::uint64_t n = all.empty() ? 0 : 2 + draws_.below(2); n > 0; --n) {
      const std::size_t first = out_.size();
      switch (draws_.one_of(all)) {
        case server_layer: add_fault(draws_.one_of(server_kinds_), one_group ? group : a_server(), 0, 0, (g_.end - g_.from) / 2, false); break;
        case message_layer: one_of_the_next(); break;
        default: verb(1); break;
      }
      for (std::size_t i = first; i < out_.size(); ++i)
        out_[i].trigger = at(i == first ? draws_.between(0, span) / 1'000 * 1'000 : out_[first].trigger.after + draws_.length(2 * second));
    }
    std::stable_sort(out_.begin(), out_.end(), [](const PlannedFault& a, const PlannedFault& b) { return due(a) < due(b); });
    return std::move(out_);
  }

 private:
  // Requires: the budget `anything`.
  Victims a_server() {
    if (draws_.chance(2, 3)) return {{draws_.one_of(g_.servers).name}, true, false};
    return victims_.any_group();
  }

  // A message is lost or late that is about to be sent.
  void one_of_the_next() {
    const Happening& h = draws_.one_of(draws_.one_of(messages_)->all);
    PlannedFault f;
    f.fault.kind = draws_.one_of(message_kinds_).kind;
    f.fault.message = h.name;
    f.fault.nth = 1 + draws_.below(2);
    const std::uint64_t which = 1 + draws_.below(3);
    f.fault.groups = {which & 1 ? std::vector<Target>{h.from} : std::vector<Target>{}};
    if (which & 2) f.fault.groups.push_back({h.to});
    if (f.fault.kind == FaultKind::delay || f.fault.kind == FaultKind::duplicate) f.fault.amount = draws_.length(second);
    const bool holds = f.fault.kind == FaultKind::hold;
    if (holds) f.fault.label = fmt::format("h{}", ++labels_);
    PlannedFault release;
    release.fault.kind = FaultKind::release;
    release.fault.label = f.fault.label;
    out_.push_back(std::move(f));
    if (holds) out_.push_back(std::move(release));
  }

  static Random copy_of(const Random& random) { return random; }

  enum Layer { server_layer, client_layer, message_layer, verb_layer, layers };

  static Time due(const PlannedFault& f) { return f.trigger.on == Trigger::On::time ? f.trigger.after : time_max; }

  // ------------------------------------------------------------------------------------------------------------------
  // What is in play.

  void choose_what_is_in_play() {
    server_kinds_ = draws_.some_of(t_.server);
    client_kinds_ = draws_.some_of(t_.client);
    message_kinds_ = draws_.some_of(t_.message);
    verbs_ = draws_.some_of(t_.verbs);
    for (const Ground::Named& n : g_.messages)
      if (in_play(n)) messages_.push_back(&n);
    // A few kinds of messages a run, so that faults on them meet each other.
    for (std::size_t keep = std::min<std::size_t>(messages_.size(), 1 + draws_.below(4)), i = 0; i < messages_.size(); ++i) {
      if (i == keep) {
        messages_.resize(keep);
        break;
      }
      std::swap(messages_[i], messages_[i + draws_.below(messages_.size() - i)]);
    }
    const std::array<bool, layers> there{!server_kinds_.empty() && victims_.possible(), !client_kinds_.empty() && !g_.clients.empty(),
                                         !message_kinds_.empty() && !messages_.empty(), !verbs_.empty()};
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < layers; ++i) sum += weight_[i] = there[i] ? draws_.below(4) : 0;
    if (sum == 0)
      for (std::size_t i = 0; i < layers; ++i) weight_[i] = there[i] ? 1 : 0;
    if (weight_[server_layer] > 0) ++weight_[server_layer];
    if (weight_[verb_layer] > 1) --weight_[verb_layer];
    trigger_share_ = draws_.below(3);  // of 2
    static constexpr std::array<std::uint64_t, 4> shares{0, 0, 1, 2};
    quick_share_ = may_be_quick_ ? shares[quick_.below(shares.size())] : 0;
    // Stretches in which clients and messages are left alone.
    bursts_.clear();
    for (std::uint64_t n = draws_.below(4); n > 0; --n) {
      const Duration length = std::max<Duration>(ms, window_ / 4 >> draws_.below(4));
      const Time begin = draws_.between(g_.from, std::max(g_.from, g_.until - length));
      bursts_.push_back({begin, begin + length});
    }
    if (bursts_.empty()) bursts_.push_back({g_.from, g_.until});
  }

  int layer() {
    std::uint64_t sum = 0;
    for (const std::uint64_t w : weight_) sum += w;
    std::uint64_t at = sum == 0 ? 0 : draws_.below(sum);
    for (int i = 0; i < layers; ++i) {
      if (at < weight_[static_cast<std::size_t>(i)]) return i;
      at -= weight_[static_cast<std::size_t>(i)];
    }
    return layers;  // there is nothing to draw
  }

  // ------------------------------------------------------------------------------------------------------------------
  // When.

  // Where something happens, or anywhere.
  Time moment(Time low, Time high) {
    high = std::max(low, high);
    const auto begin = std::lower_bound(g_.moments.begin(), g_.moments.end(), low);
    const auto end = std::upper_bound(begin, g_.moments.end(), high);
    if (begin != end && draws_.chance(1, 2)) {
      const Time there = *(begin + static_cast<std::ptrdiff_t>(draws_.below(static_cast<std::uint64_t>(end - begin))));
      const Time by = draws_.chance(1, 2) ? draws_.between(-2 * ms, 2 * ms) / 1'000 * 1'000 : 0;  // just before it, just after it
      return std::clamp(there + by, low, high);
    }
    const Time any = draws_.between(low, high);
    return std::clamp(any / ms * ms, low, high);
  }

  Time in_a_burst() {
    const auto [begin, end] = draws_.one_of(bursts_);
    return moment(begin, end);
  }

  // Nothing: the ground has nothing to wait for.
  bool wait_for(const std::vector<Ground::Named>& all, Trigger& out) {
    if (all.empty()) return false;
    const Happening& h = draws_.one_of(draws_.one_of(all).all);
    std::uint64_t first = 0, count = h.in_trouble;
    if (!h.at.empty()) {
      const auto begin = std::lower_bound(h.at.begin(), h.at.end(), g_.from);
      first = static_cast<std::uint64_t>(begin - h.at.begin());
      count = static_cast<std::uint64_t>(std::upper_bound(begin, h.at.end(), g_.until) - begin);
    }
    if (count == 0) return false;
    out.on = h.on == Trigger::On::message_sent && draws_.chance(1, 2) ? Trigger::On::message_delivered : h.on;
    out.name = h.name;
    out.from = h.from;
    out.to = h.to;
    out.place = h.place;
    out.nth = first + 1 + draws_.below(h.at.empty() ? std::min<std::uint64_t>(count, 3) : count);
    out.after = draws_.chance(1, 2) ? 0 : draws_.length(std::min<Duration>(window_ / 4, 10 * second));
    return true;
  }

  bool triggered(Trigger& out) {
    if (!draws_.chance(trigger_share_, 2)) return false;
    return wait_for(draws_.chance(2, 3) ? g_.events : g_.messages, out);
  }

  // Quick succession draws from a stream of its own: a run without any is what it would be if there were none.
  bool quick() { return quick_.chance(quick_share_, 3); }

  Trigger shortly_after(const Trigger& other) {
    Trigger t = other;
    t.after += quick_.chance(1, 3) ? 0 : quick_.length(std::min<Duration>(window_ / 8, 2 * second));
    if (t.on == Trigger::On::time) t.after = std::min(t.after, std::max(g_.until, other.after));
    return t;
  }

  void tie() {
    if (out_.size() < 2) return;
    for (const std::size_t i : movable_) {
      const std::size_t other = quick() ? quick_.below(out_.size()) : i;
      if (other != i) out_[i].trigger = shortly_after(out_[other].trigger);
    }
  }

  // The next fault of the plan may come at any other time as well.
  void may_move() { movable_.push_back(out_.size()); }

  // ------------------------------------------------------------------------------------------------------------------
  // Servers.

  void server_faults(std::uint64_t count) {
    if (s_.budget == FaultBudget::anything) {
      for (std::uint64_t i = 0; i < count; ++i) {
        const Victims v = victims_.any_group();
        trouble(v, g_.from, g_.until, g_.end - g_.from, true);
      }
    } else if (draws_.chance(1, 3) || std::all_of(server_kinds_.begin(), server_kinds_.end(), [](const DrawnKind& k) { return k.lingers; })) {
      const Victims v = victims_.group(false);
      for (std::uint64_t i = 0; i < count; ++i) trouble(v, g_.from, g_.until, g_.end - g_.from, true);
    } else {
      in_slices(count);
    }
  }

  // Few slices more often than many: a product may need longer than most of them to notice anything.
  void in_slices(std::uint64_t count) {
    const std::uint64_t most = 1 + draws_.below(count);
    const std::uint64_t slices = 1 + draws_.below(most);
    std::vector<std::uint64_t> faults(slices, 1);
    for (std::uint64_t i = slices; i < count; ++i) ++faults[draws_.below(slices)];
    const Duration slice = window_ / static_cast<Duration>(slices);
    for (std::uint64_t i = 0; i < slices; ++i) {
      const Time begin = g_.from + slice * static_cast<Duration>(i);
      const Victims v = victims_.group(faults[i] == 1);
      const bool last = i + 1 == slices;  // nobody comes after it: it may take its time
      for (std::uint64_t n = 0; n < faults[i]; ++n) {
        if (last) trouble(v, begin, g_.until, g_.end - begin, slices == 1);
        else trouble(v, begin, begin + slice * 3 / 10, slice * 3 / 10, false);
      }
    }
  }

  // One fault on these servers, that begins between low and high and lasts no longer than `longest`. `free`: it may wait for
  // an event, take its time to end, or not end at all.
  void trouble(const Victims& v, Time low, Time high, Duration longest, bool free) {
    std::vector<DrawnKind> kinds;
    for (const DrawnKind& k : server_kinds_)
      if ((free || !k.lingers) && (k.kind != FaultKind::power || victims_.power_stays_within(v))) kinds.push_back(k);
    if (kinds.empty()) return;
    add_fault(draws_.one_of(kinds), v, low, high, longest, free);
  }

  void add_fault(const DrawnKind& kind, const Victims& v, Time low, Time high, Duration longest, bool free) {
    PlannedFault f;
    if (!free || !triggered(f.trigger)) f.trigger.after = moment(low, high);
    f.fault.kind = kind.kind;
    if (!kind.instant) f.fault.duration = draws_.length(longest);
    if (ends_process(kind.kind) && free && draws_.chance(1, 8)) f.fault.duration = 0;
    fill_fault(f.fault, v, g_, window_, draws_);
    if (!v.server || s_.budget == FaultBudget::anything) may_move();
    out_.push_back(std::move(f));
  }

  void client_fault() {
    Victims v{{draws_.one_of(g_.clients)}, false, false};
    if (g_.clients.size() > 1 && draws_.chance(1, 6)) {
      const std::string& other = draws_.one_of(g_.clients);
      if (other != v.whom[0]) v.whom.push_back(other);
    }
    const auto [begin, end] = draws_.one_of(bursts_);
    add_fault(draws_.one_of(client_kinds_), v, begin, end, g_.end - begin, true);
  }

  // ------------------------------------------------------------------------------------------------------------------
  // Single messages, and an operator's verbs.

  // `room`: so many rows may be added; a message that is held needs another, to be let go.
  void message_fault(std::uint64_t room) {
    const DrawnKind kind = draws_.one_of(message_kinds_);
    PlannedFault f;
    const bool waits = triggered(f.trigger);
    if (!waits) f.trigger.after = in_a_burst();
    f.fault.kind = kind.kind;
    const Time begin = waits ? g_.from : f.trigger.after;
    // The n-th from then on: one that a calm run would have had, or that came in trouble; most often one of the next few.
    const Happening* h = nullptr;
    std::uint64_t to_come = 0;
    for (int tries = 0; tries < 4 && to_come == 0; ++tries) {
      h = &draws_.one_of(draws_.one_of(messages_)->all);
      to_come = h->at.empty() ? (draws_.chance(1, 2) ? h->in_trouble : 0) : static_cast<std::uint64_t>(h->at.end() - std::lower_bound(h->at.begin(), h->at.end(), begin));
    }
    f.fault.message = h->name;
    to_come = std::max<std::uint64_t>(1, to_come);
    f.fault.nth = 1 + draws_.below(draws_.chance(2, 3) ? std::min<std::uint64_t>(to_come, 4) : to_come);
    if (draws_.chance(1, 6)) f.fault.count = 2 + draws_.below(8);
    if (quick() && quick_.chance(1, 2)) f.fault.count = std::uint64_t{2} << quick_.below(6);
    if (const std::uint64_t which = draws_.below(4); which > 0) {  // from, to, both, or whoever
      f.fault.groups = {which & 1 ? std::vector<Target>{h->from} : std::vector<Target>{}, which & 2 ? std::vector<Target>{h->to} : std::vector<Target>{}};
      if (which == 1) f.fault.groups.pop_back();
    }
    if (kind.kind == FaultKind::delay || kind.kind == FaultKind::duplicate) f.fault.amount = draws_.length(std::min<Duration>(g_.end - begin, 60 * second));
    may_move();
    if (kind.kind != FaultKind::hold || room < 2) {
      out_.push_back(std::move(f));
      return;
    }
    f.fault.label = fmt::format("h{}", ++labels_);
    PlannedFault release;
    release.fault.kind = FaultKind::release;
    release.fault.label = f.fault.label;
    if (!wait_for(draws_.chance(trigger_share_, 2) ? g_.events : none_, release.trigger)) {
      release.trigger.after = begin + draws_.length(std::max<Duration>(ms, g_.end - begin));
    }
    out_.push_back(std::move(f));
    may_move();
    out_.push_back(std::move(release));
  }

  // ------------------------------------------------------------------------------------------------------------------
  // The shadow of a message.

  bool may_hold() const {
    return may_be_quick_ && std::any_of(t_.message.begin(), t_.message.end(), [](const DrawnKind& k) { return k.kind == FaultKind::hold; });
  }
  bool in_play(const Ground::Named& n) const { return t_.messages.empty() || std::find(t_.messages.begin(), t_.messages.end(), n.name) != t_.messages.end(); }

  // A message of a kind that is rare: it tells of a change. Nothing: this run has no shadow.
  const Happening* what_to_hold() {
    if (!may_hold() || s_.budget != FaultBudget::anything || s_.faults_max < shadow_rows + 1 || !shadow_.chance(1, 3)) return nullptr;
    std::vector<const Ground::Named*> rare;
    for (const Ground::Named& n : g_.messages) {
      if (!in_play(n)) continue;
      std::uint64_t times = 0;
      for (const Happening& h : n.all) times += h.at.empty() ? h.in_trouble : h.at.size();
      if (times > 0 && times <= rare_max) rare.push_back(&n);
    }
    return rare.empty() ? nullptr : &shadow_.one_of(shadow_.one_of(rare)->all);
  }

  // It is held, whoever may be meant by it comes to harm and is back, and it is let go; somebody else comes to harm meanwhile, or
  // shortly after.
  void shadow_of(const Happening& h) {
    Trigger sent;
    sent.on = Trigger::On::message_sent;
    sent.name = h.name;
    if (shadow_.chance(1, 2)) sent.from = h.from;
    const std::uint64_t times = h.at.empty() ? h.in_trouble : h.at.size();
    sent.nth = 1 + shadow_.below(std::clamp<std::uint64_t>(times, 2, 8));
    const Duration harmed = shadow_.length(std::min<Duration>(window_ / 4, 2 * second));
    // Just after who was harmed is back, or some time later.
    const Duration held = harmed + shadow_.length(shadow_.chance(1, 2) ? 300 * ms : 2 * second);

    PlannedFault hold;
    hold.trigger.after = 0;
    hold.fault.kind = FaultKind::hold;
    hold.fault.message = h.name;
    hold.fault.nth = sent.nth;
    if (!sent.from.empty()) hold.fault.groups = {{sent.from}};
    hold.fault.label = "shadow";
    out_.push_back(hold);

    const Ground::Server* sender = server(h.from);
    const std::string whom = sender && shadow_.chance(1, 3) ? sender->name : shadow_.one_of(g_.servers).name;
    harm(sent, 0, {{whom}, true, false}, harmed, shadow_.chance(2, 3));

    PlannedFault release;
    release.fault.kind = FaultKind::release;
    release.fault.label = hold.fault.label;
    release.trigger = sent;
    release.trigger.after = held;
    out_.push_back(release);

    const Duration after = shadow_.chance(1, 2) ? shadow_.length(held) : held + (shadow_.chance(1, 4) ? 0 : shadow_.length(strike_span));
    if (!verbs_.empty() && shadow_.chance(1, 3)) {
      const std::size_t first = out_.size();
      verb(1);
      for (std::size_t i = first; i < out_.size(); ++i) {
        out_[i].trigger = sent;
        out_[i].trigger.after = after;
      }
    } else {
      harm(sent, after, a_server(), shadow_.length((g_.end - g_.from) / 2), false);
    }
  }

  // ------------------------------------------------------------------------------------------------------------------
  // The echo of a message.

  // Up to three of one kind, so that a run has a few chances; none: it has no echo.
  std::vector<const Happening*> what_to_echo() {
    if (!may_hold() || s_.faults_max < echo_rows || !echo_.chance(1, 6)) return {};
    std::vector<const Ground::Named*> all;
    for (const Ground::Named& n : g_.messages)
      if (in_play(n)) all.push_back(&n);
    if (all.empty()) return {};
    const Ground::Named& kind = *echo_.one_of(all);
    std::vector<const Happening*> out;
    for (std::uint64_t n = 1 + echo_.below(std::min<std::uint64_t>(3, s_.faults_max / echo_rows)); n > 0; --n) out.push_back(&echo_.one_of(kind.all));
    return out;
  }

  // It is held until its sender has sent one like it to the same receiver again, or a little longer: who hears nothing asks
  // again, goes on when that is answered, and then the first one arrives.
  void echo_of(const Happening& h) {
    PlannedFault hold;
    hold.trigger.after = 0;
    hold.fault.kind = FaultKind::hold;
    hold.fault.message = h.name;
    hold.fault.nth = 1 + echo_.below(std::max<std::uint64_t>(1, h.at.empty() ? h.in_trouble : h.at.size()));
    hold.fault.groups = {{h.from}, {h.to}};
    hold.fault.label = fmt::format("echo{}", ++echoes_);
    PlannedFault release;
    release.fault.kind = FaultKind::release;
    release.fault.label = hold.fault.label;
    release.trigger.on = Trigger::On::message_sent;
    release.trigger.name = h.name;
    release.trigger.from = h.from;
    release.trigger.to = h.to;
    release.trigger.nth = hold.fault.nth + 1 + echo_.below(2);
    release.trigger.after = echo_.chance(1, 4) ? 0 : echo_.length(echo_.chance(1, 2) ? strike_span : 2 * second);
    out_.push_back(std::move(hold));
    out_.push_back(std::move(release));
  }

  const Ground::Server* server(const std::string& name) const {
    const auto it = std::find_if(g_.servers.begin(), g_.servers.end(), [&](const Ground::Server& s) { return s.name == name; });
    return it == g_.servers.end() ? nullptr : &*it;
  }

  // `another_life`: it is by another process that it is well again.
  void harm(const Trigger& trigger, Duration after, const Victims& v, Duration duration, bool another_life) {
    std::vector<DrawnKind> kinds = t_.server;
    if (another_life) std::erase_if(kinds, [](const DrawnKind& k) { return !ends_process(k.kind); });
    if (kinds.empty()) kinds = t_.server;
    if (kinds.empty() || g_.servers.empty()) return;
    PlannedFault f;
    f.trigger = trigger;
    f.trigger.after = after;
    const DrawnKind& kind = shadow_.one_of(kinds);
    f.fault.kind = kind.kind;
    if (!kind.instant) f.fault.duration = duration;
    fill_fault(f.fault, v, g_, window_, draws_);
    out_.push_back(std::move(f));
  }

  // {place}, {topic}, {2..8}, or a server of the role in braces.
  std::string filled(const std::string& form, const std::string& place, const std::string& topic, Draws& draws) {
    std::string out;
    for (std::size_t i = 0; i < form.size(); ++i) {
      const std::size_t end = form[i] == '{' ? form.find('}', i) : std::string::npos;
      if (end == std::string::npos) {
        out += form[i];
        continue;
      }
      const std::string word = form.substr(i + 1, end - i - 1);
      i = end;
      if (word == "place") out += place;
      else if (word == "topic") out += topic;
      else if (const std::size_t dots = word.find(".."); dots != std::string::npos)
        out += fmt::format("{}", draws.between(std::stoll(word.substr(0, dots)), std::stoll(word.substr(dots + 2))));
      else if (const auto all = victims_.of_role(word); !all.empty()) out += draws.one_of(all)->name;
    }
    return out;
  }

  void verb(std::uint64_t room) {
    const VerbDecl& v = draws_.one_of(verbs_);
    if (!v.undo.empty() && room < 2) return;
    const std::string place = g_.places.empty() ? "?" : draws_.one_of(g_.places);
    const std::string topic = g_.topics.empty() ? "?" : draws_.one_of(g_.topics);
    PlannedFault f;
    f.fault.kind = FaultKind::command;
    f.fault.verb = v.name;
    f.fault.groups = {{filled(v.whom, place, topic, draws_)}};
    if (!v.forms.empty()) f.fault.argument = filled(draws_.one_of(v.forms), place, topic, draws_);
    if (!v.undo.empty() || !triggered(f.trigger)) f.trigger.after = in_a_burst();
    if (v.undo.empty()) may_move();
    out_.push_back(f);
    if (v.undo.empty()) {
      for (std::size_t more = 1; more < room && more < 3 && !v.forms.empty() && quick(); ++more) {
        f.fault.argument = filled(quick_.one_of(v.forms), place, topic, quick_);
        f.trigger = shortly_after(f.trigger);
        out_.push_back(f);
      }
      return;
    }
    f.fault.argument = v.undo;
    f.trigger.after += draws_.length(g_.end - f.trigger.after);
    out_.push_back(std::move(f));
  }

  struct Burst {
    Time begin, end;
  };

  const Ground& g_;
  const Toolbox& t_;
  const PlanSpace& s_;
  Draws draws_;
  Random quick_random_;
  Draws quick_;
  Random shadow_random_;
  Draws shadow_;
  Random echo_random_;
  Draws echo_;
  VictimDraw victims_;
  const Duration window_;
  const bool may_be_quick_;
  std::vector<PlannedFault> out_;
  std::vector<std::size_t> movable_;  // into out_
  std::vector<DrawnKind> server_kinds_, client_kinds_, message_kinds_;
  std::vector<VerbDecl> verbs_;
  std::vector<const Ground::Named*> messages_;
  std::array<std::uint64_t, layers> weight_{};
  std::uint64_t trigger_share_ = 0;  // of 2
  std::uint64_t quick_share_ = 0;    // of 3
  std::vector<Burst> bursts_;
  std::uint64_t labels_ = 0, echoes_ = 0;
  const std::vector<Ground::Named> none_;
};

}  // namespace

std::vector<PlannedFault> draw_faults(const Ground& ground, const Toolbox& tools, const PlanSpace& space, Random& draws, bool quick) {
  return FaultDraw(ground, tools, space, draws, quick).all();
}

std::vector<PlannedFault> draw_strikes(const Ground& ground, const Toolbox& tools, const PlanSpace& space, Random& draws) {
  return FaultDraw(ground, tools, space, draws, false).strikes();
}

}  // namespace mqlab
