// SPDX-License-Identifier: BSD-2-Clause
// The exact state that a model expects after an operation that was disturbed at a point. This is
// the state at the point, changed by the disturbance. If the operation continues, its rest changes
// the state, too.
#ifndef UNIT_KERNEL_POINTS_EXACT_H
#define UNIT_KERNEL_POINTS_EXACT_H

#include "points_scene.h"

extern "C" {
#include "space/mapping_tree.h"
#include "space/object_mapping.h"
}

// The permissions of all PDs in the ranges.
using Ranges = std::array<Caps, WHO>;

// The effect of an operation on the ranges.
struct Effect {
        Change change; // the whole effect
        bool revokes = false;
        Who from = WHO; // PD of the revoked range
        unsigned perms = 0;
        bool self = false;
};

inline Effect revocation_by(const Scene &s, Who from, unsigned perms, bool self)
{
        return {s.take(from, perms, self), true, from, perms, self};
}

inline Ranges ranges_now(Scene &s)
{
        Ranges found;
        for (unsigned i = 0; i < WHO; i++)
                for (const auto &[sel, cap] : s.ranges(i))
                        if (cap.perms)
                                found[i][sel] = cap;
        return found;
}

inline void replay(const Scene &s, Model &model)
{
        for (const Change &change : s.history)
                change(model);
}

inline Ranges ranges_in(const Scene &s, const Model &model)
{
        Ranges found;
        for (unsigned i = 0; i < WHO; i++)
                found[i] = model.caps(name_of(i), s.type);
        return found;
}

inline Ranges after(const Scene &s, const Change &change)
{
        Model model;
        replay(s, model);
        change(model);
        return ranges_in(s, model);
}

// Returns a function that says whether the walk of the client's revocation has passed a selector.
// If so, the walk does not visit new mappings that are delegated from this selector. The walk
// visits the mappings below one selector or mapping in the order of their first selectors. If
// several have the same first selector, the walk visits the latest of them first. first_of returns
// the first selector of the mapping that is delegated from a selector.
inline std::function<bool(word_t)>
passed_by_revocation(const Scene &s, const std::function<word_t(word_t)> &first_of)
{
        const revocation &r = s.caller->revocation;
        word_t next = r.at;

        if (!r.space)
                return [](word_t) { return false; }; // the revocation has not begun
        if (s.type == NOVA_CRD_OBJ) {
                if (r.object_pin && r.object_pin->depth == r.depth && !r.up)
                        next--;
        } else if (r.pin && r.pin->depth == r.depth) {
                next = r.up ? r.top_last + 1 : r.top_first;
        } else if (r.pin) {
                mapping *below = r.pin;
                while (below->depth > r.depth + 1)
                        below = mapping_parent(below);
                next = r.top_first + (below->in_parent.start - r.first_source) + 1;
        }
        return [=](word_t sel) { return first_of(sel) < next; };
}

// The part of an operation that is done at a point.
struct Reached {
        Ranges ranges;
        std::function<bool(word_t)> has_passed;
        bool is_published; // the client has the capability of the new PD
        bool is_ending;    // the third PD is ending
        bool is_calling;   // the call holds portal, thread and PD of the server
};

inline Reached look(Scene &s, const std::function<word_t(word_t)> &first_of)
{
        const Caps caps = caps_of(s.who[CLIENT], NOVA_CRD_OBJ);
        const bool is_published = caps.count(CLIENT_NEW);

        if (is_published)
                s.who[NEW] = container_of(Scene::object_at(s.who[CLIENT], CLIENT_NEW), pd, object);
        else
                s.who[NEW] = s.caller->created;
        return {ranges_now(s), passed_by_revocation(s, first_of), is_published,
                !caps.count(CLIENT_THIRD) || s.who[THIRD]->object.dead,
                s.caller->calling != nullptr};
}

inline unsigned perms_of(const Caps &caps, word_t sel)
{
        const auto found = caps.find(sel);
        return found == caps.end() ? 0 : found->second.perms;
}

// Checks that each capability is as before the operation or as after it, and that the operation
// goes through the ranges in order: at most one part of a range has capabilities of both kinds.
// If memory for an item is missing, the rest of this item is left out, and the next item follows.
inline void check_reached(const Ranges &now, const Ranges &before, const Ranges &full,
                          unsigned part, unsigned item)
{
        std::map<word_t, std::pair<bool, bool>> parts; // done, left
        for (unsigned i = 0; i < WHO; i++) {
                Caps all = before[i];
                all.insert(full[i].begin(), full[i].end());
                for (const auto &[sel, cap] : now[i])
                        ASSERT_TRUE(all.count(sel) && all.at(sel).source == cap.source)
                                << "PD " << i << ", selector " << std::hex << sel;
                for (const auto &[sel, cap] : all) {
                        const unsigned perms = perms_of(now[i], sel);
                        const bool done = perms == perms_of(full[i], sel);
                        const bool left = perms == perms_of(before[i], sel);
                        ASSERT_TRUE(done || left) << "PD " << i << ", selector " << std::hex << sel
                                                  << " has permissions " << perms;
                        parts[sel / part].first |= !left;
                        parts[sel / part].second |= !done;
                }
        }
        bool is_left = false;
        word_t present = 0;
        for (const auto &[at, state] : parts) {
                is_left &= present == at * part / item;
                present = at * part / item;
                ASSERT_FALSE(is_left && state.first)
                        << "part " << std::hex << at << " is done before an earlier one";
                is_left |= state.second;
        }
}

// Returns the ranges that are expected at the end: after the disturbance and, if the operation goes
// on, after the rest of the operation.
inline Ranges expect(const Scene &s, const Effect &does, const Reached &reached,
                     const Change &disturbs, bool goes_on)
{
        Model model;
        Model::Walk walk;

        replay(s, model);
        if (does.revokes)
                walk = model.begin(name_of(does.from), s.base(), s.base() + ALL, s.type);
        else
                does.change(model);
        for (unsigned i = 0; i < WHO; i++)
                model.reach(name_of(i), s.type, reached.ranges[i]);
        disturbs(model);
        if (does.revokes)
                model.finish(walk, s.type, does.perms, does.self, !goes_on, reached.has_passed);
        else if (goes_on)
                does.change(model);
        else if (!reached.is_published)
                s.take(NEW, NOVA_PERM_ALL, true)(model);
        if (!s.who[SERVER]) // the PD ends after the call that holds it
                s.take(SERVER, NOVA_PERM_ALL, true)(model);
        return ranges_in(s, model);
}

inline void check_ranges(const Ranges &now, const Ranges &expected)
{
        for (unsigned i = 0; i < WHO; i++) {
                for (const auto &[sel, cap] : now[i]) {
                        const auto found = expected[i].find(sel);
                        ASSERT_TRUE(found != expected[i].end() && found->second == cap)
                                << "PD " << i << ", selector " << std::hex << sel << " has " << cap
                                << ", the model " << perms_of(expected[i], sel);
                }
                for (const auto &[sel, cap] : expected[i])
                        ASSERT_TRUE(now[i].count(sel)) << "PD " << i << ", selector " << std::hex
                                                       << sel << " has lost " << cap;
        }
}

#endif
