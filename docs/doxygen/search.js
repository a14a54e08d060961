/* SPDX-License-Identifier: BSD-2-Clause */
/* Search over the manual and the API. search-index.js is loaded when the box is first used; it has
 * [title, kind, place, address, text] of each section and symbol. */
(function () {
        'use strict';

        const MOST = 60, SNIPPET = 110;
        let box, list, chosen = -1, loaded = false;

        function element(tag, name, text) {
                const made = document.createElement(tag);

                if (name)
                        made.className = name;
                if (text)
                        made.textContent = text;
                return made;
        }

        function load() {
                if (loaded)
                        return;
                loaded = true;

                const script = element('script');

                script.src = 'search-index.js';
                script.onload = show;
                document.head.appendChild(script);
        }

        /* How well a word fits an entry: lower is better, null if not at all. */
        function rank(entry, word) {
                const title = entry[0].toLowerCase(), at = title.indexOf(word);

                if (title === word || title === 'nova_' + word)
                        return 0;
                if (at === 0 || (at > 0 && /[^a-z0-9]/.test(title[at - 1])))
                        return 2;
                if (at > 0)
                        return 3;
                if (entry[2].toLowerCase().includes(word))
                        return 6;
                return entry[4].toLowerCase().includes(word) ? 9 : null;
        }

        function search(text) {
                const words = text.toLowerCase().split(/[\s()]+/).filter(Boolean), found = [];

                if (!words.length)
                        return {words, found};
                for (const entry of window.novaSearchIndex || []) {
                        let sum = entry[0].length / 100;

                        for (const word of words) {
                                const one = rank(entry, word);

                                sum = one === null ? NaN : sum + one;
                        }
                        if (!isNaN(sum))
                                found.push([sum, entry]);
                }
                found.sort((a, b) => a[0] - b[0]);
                return {words, found: found.map((pair) => pair[1])};
        }

        /* The text with each of the words marked. */
        function marked(name, text, words) {
                const made = element('span', name);
                const escaped = words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));

                for (const part of text.split(new RegExp('(' + escaped.join('|') + ')', 'i')))
                        if (words.includes(part.toLowerCase()))
                                made.appendChild(element('mark', '', part));
                        else
                                made.appendChild(document.createTextNode(part));
                return made;
        }

        /* The part of an entry's text around the first word that is found there. */
        function snippet(text, words) {
                const places = words.map((word) => text.toLowerCase().indexOf(word));
                const at = Math.max(0, Math.min(...places.filter((place) => place >= 0)) - 40);
                const begin = isFinite(at) && at > 0 ? text.indexOf(' ', at) + 1 : 0;
                const end = text.lastIndexOf(' ', begin + SNIPPET);

                if (text.length <= begin + SNIPPET)
                        return (begin ? '… ' : '') + text.slice(begin);
                return (begin ? '… ' : '') + text.slice(begin, end > begin ? end : undefined) + ' …';
        }

        function row(entry, words) {
                const made = element('a');

                made.href = entry[3];
                made.appendChild(marked('name', entry[0], words));
                made.appendChild(element('span', 'kind', entry[1] + (entry[2] ? ' · ' + entry[2] : '')));
                made.appendChild(marked('told', snippet(entry[4], words), words));
                return made;
        }

        function show() {
                const {words, found} = search(box.value);

                chosen = -1;
                list.replaceChildren();
                list.hidden = !words.length;
                if (list.hidden)
                        return;
                if (!window.novaSearchIndex)
                        list.appendChild(element('p', '', 'Loading the index …'));
                else if (!found.length)
                        list.appendChild(element('p', '', 'Nothing has all of these words.'));
                else
                        list.appendChild(element('p', '', found.length > MOST
                                ? `The best ${MOST} of ${found.length} results`
                                : `${found.length} result${found.length > 1 ? 's' : ''}`));
                found.slice(0, MOST).forEach((entry) => list.appendChild(row(entry, words)));
        }

        function choose(step) {
                const rows = list.querySelectorAll('a');

                if (!rows.length)
                        return;
                if (chosen >= 0)
                        rows[chosen].classList.remove('chosen');
                chosen = (chosen + step + rows.length) % rows.length;
                rows[chosen].classList.add('chosen');
                rows[chosen].scrollIntoView({block: 'nearest'});
        }

        function key(event) {
                if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
                        choose(event.key === 'ArrowDown' ? 1 : chosen < 0 ? 0 : -1);
                        event.preventDefault();
                } else if (event.key === 'Enter') {
                        const rows = list.querySelectorAll('a');

                        if (rows.length)
                                rows[Math.max(chosen, 0)].click();
                } else if (event.key === 'Escape') {
                        box.value = '';
                        show();
                        box.blur();
                }
        }

        function begin() {
                const place = element('div');

                place.id = 'nova-search';
                box = element('input');
                box.type = 'search';
                box.placeholder = 'Search manual and API (press /)';
                box.setAttribute('aria-label', 'Search');
                list = element('div');
                list.id = 'nova-results';
                list.hidden = true;
                place.appendChild(box);
                (document.getElementById('titlearea') || document.body).appendChild(place);
                document.body.appendChild(list);
                box.addEventListener('focus', load);
                box.addEventListener('input', show);
                box.addEventListener('keydown', key);
                list.addEventListener('click', () => { list.hidden = true; });
                document.addEventListener('keydown', (event) => {
                        if (event.key === '/' && !/INPUT|TEXTAREA/.test(event.target.tagName)) {
                                box.focus();
                                event.preventDefault();
                        }
                });
                if (location.search.startsWith('?q=')) {
                        box.value = decodeURIComponent(location.search.slice(3).replace(/\+/g, ' '));
                        load();
                }
        }

        begin();
}());
