#include "gui/core/find_rows.h"

#include <algorithm>
#include <map>
#include <thread>
#include <tuple>

#include "sim/record/event_text.h"

namespace mqlab::gui {
namespace {

constexpr std::size_t ask_every = 1'024;        // events, whether it is still wanted
constexpr std::size_t parts_most = 4;

// What a line must hold. Words in ASCII need nothing understood of the line but its ASCII.
class Words {
 public:
  Words(const std::vector<std::string>& words, const std::function<std::string(const std::string&)>& lower) : all_(words), lower_(lower) {
    for (const std::string& w : words) ascii_ = ascii_ && std::all_of(w.begin(), w.end(), [](char c) { return static_cast<unsigned char>(c) < 128; });
  }
  bool none() const { return all_.empty(); }
  std::size_t size() const { return all_.size(); }
  // As it is looked into.
  void make_lower(std::string& line) const {
    if (ascii_ || !lower_) std::transform(line.begin(), line.end(), line.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    else line = lower_(line);
  }
  bool in(const std::string& lower_line) const {
    return std::all_of(all_.begin(), all_.end(), [&](const std::string& w) { return lower_line.find(w) != std::string::npos; });
  }

 private:
  const std::vector<std::string>& all_;
  const std::function<std::string(const std::string&)>& lower_;
  bool ascii_ = true;
};

bool is_routine(const Journal& j, const Event& e) {
  if (is_message(e)) return e.type < j.messages.size() && j.messages[e.type].traffic == Traffic::heartbeat;
  const auto kind = static_cast<EventKind>(e.kind);
  return kind == EventKind::timer || kind == EventKind::wake || kind == EventKind::disk;
}

// The events of one part of the run that are wanted. Where and what an event is, is the same text again and again: it is put together
// once, and details are put together only where it does not hold all words already.
class Part {
 public:
  Part(const EventIndex& run, const RowsWanted& wanted, const std::vector<bool>& chips, const Words& words, const CallOff& off)
      : run_(run), r_(run.recording()), j_(r_.journal()), wanted_(wanted), chips_(chips), words_(words), off_(off) {}

  // False: it was called off.
  bool find(std::size_t begin, std::size_t end) {
    auto mark = std::lower_bound(run_.marks().begin(), run_.marks().end(), EventIndex::EventMark(static_cast<std::uint32_t>(begin), 0));
    for (std::size_t i = begin; i < end; ++i) {
      if (i % ask_every == 0 && !off_.wanted()) return false;
      while (mark != run_.marks().end() && mark->first < i) ++mark;
      if (!chips_.empty() && !chips_[i]) continue;
      const Delivery& d = j_.deliveries[i];
      if (wanted_.hides_routine && is_routine(j_, d.event)) continue;
      if (words_.none() || has_words(d, i, mark)) rows.push_back(static_cast<std::uint32_t>(i));
    }
    return true;
  }

  EventRows rows{};

 private:
  template <class MarkAt>
  bool has_words(const Delivery& d, std::size_t i, MarkAt mark) {
    const Head& head = head_of(d);
    if (head.has_all) return true;
    line_ = head.text;
    std::string rest = ' ' + event_details(j_, d);
    for (; mark != run_.marks().end() && mark->first == i; ++mark) rest += ' ' + mark_words(j_, j_.marks[mark->second]);
    if (rest.size() == 1) return false;
    words_.make_lower(rest);
    line_ += rest;
    return words_.in(line_);
  }

  struct Head {
    std::string text{};  // in lower case
    bool has_all = false;
  };
  const Head& head_of(const Delivery& d) {
    const Event& e = d.event;
    const auto [it, fresh] = heads_.try_emplace({e.kind, e.type, e.source, e.target});
    if (fresh) {
      it->second.text = where(r_, d) + ' ' + event_name(j_, d);
      words_.make_lower(it->second.text);
      it->second.has_all = words_.in(it->second.text);
    }
    return it->second;
  }

  const EventIndex& run_;
  const Recording& r_;
  const Journal& j_;
  const RowsWanted& wanted_;
  const std::vector<bool>& chips_;
  const Words& words_;
  const CallOff& off_;
  std::map<std::tuple<std::uint8_t, MessageKind, NodeId, NodeId>, Head> heads_;
  std::string line_;
};

}  // namespace

std::string where(const Recording& r, const Delivery& d) {
  if (is_message(d.event)) return r.line_name(d.event.source) + " → " + r.line_name(d.event.target);
  return r.line_name(line_of(d.event));
}

std::string where(const Recording& r, const Drop& d) { return r.line_name(d.event.source) + " → " + (d.event.target == nobody ? "?" : r.line_name(d.event.target)); }

std::optional<FoundEvents> find_rows(const EventIndex& run, const RowsWanted& wanted, const CallOff& off, const std::function<std::string(const std::string&)>& lower) {
  const Recording& r = run.recording();
  const Journal& j = r.journal();
  const Words words(wanted.words, lower);
  const std::vector<bool> chips = wanted.chips.passing(r);
  // A part a core, where each is worth it; this thread does the first.
  const std::size_t parts = std::clamp<std::size_t>(words.none() ? 1 : r.events() / std::max<std::size_t>(wanted.part_least, 1), 1, std::min<std::size_t>(parts_most, std::max(1U, std::thread::hardware_concurrency())));
  std::vector<Part> all(parts, Part(run, wanted, chips, words, off));
  std::vector<char> whole(parts, 0);
  const auto work = [&](std::size_t p) { whole[p] = all[p].find(r.events() * p / parts, r.events() * (p + 1) / parts) ? 1 : 0; };
  std::vector<std::thread> others;
  for (std::size_t p = 1; p < parts; ++p) others.emplace_back(work, p);
  work(0);
  for (std::thread& t : others) t.join();
  if (std::find(whole.begin(), whole.end(), 0) != whole.end()) return std::nullopt;

  FoundEvents out;
  out.passing.assign(r.events(), false);
  for (const Part& p : all) out.rows.insert(out.rows.end(), p.rows.begin(), p.rows.end());
  for (const std::uint32_t i : out.rows) out.passing[i] = true;
  out.passing_drops.assign(j.drops.size(), false);
  std::size_t looked_at = 0;
  for (const std::uint32_t i : wanted.chips.drops(r)) {
    if (looked_at++ % ask_every == 0 && !off.wanted()) return std::nullopt;
    const Drop& d = j.drops[i];
    if (wanted.hides_routine && is_routine(j, d.event)) continue;
    if (!words.none()) {
      std::string line = where(r, d) + " dropped " + drop_text(j, d);
      words.make_lower(line);
      if (!words.in(line)) continue;
    }
    out.drops.push_back(i);
    out.passing_drops[i] = true;
  }
  return out;
}

}  // namespace mqlab::gui
