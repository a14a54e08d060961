/* SPDX-License-Identifier: BSD-2-Clause */
/* Two 8259 interrupt controllers (see novavmm/pic.h); Intel's data sheet 231468. */
#include "novavmm/pic.h"

#include <string.h>

#define FIRST       0
#define SECOND      1
#define CASCADE_PIN 2
#define SPURIOUS    7

/* Initialisation command words and their bits. */
#define ICW1        0x10
#define ICW1_SINGLE 0x02
#define ICW1_ICW4   0x01
#define ICW4_AUTO   0x02

/* Operation command words. */
#define OCW3              0x08
#define OCW3_READ         0x02
#define OCW3_READ_SERVICE 0x01
#define OCW3_POLL         0x04
#define OCW3_MASK         0x40
#define OCW3_MASK_ON      0x20
#define OCW2_ROTATE       0x80
#define OCW2_SPECIFIC     0x40
#define OCW2_END          0x20

#define POLL_PENDING 0x80

/* Returns the first pin of a set by priority: the pin after the one with the lowest priority. 8:
 * the set is empty */
static unsigned first_of(const struct nova_pic_chip *chip, unsigned set)
{
        for (unsigned i = 1; set && i <= 8; i++)
                if (set >> ((chip->lowest + i) & 7) & 1)
                        return (chip->lowest + i) & 7;
        return 8;
}

/* Returns the distance of a pin from the highest priority; 8 if @p pin is 8, which means none. */
static unsigned rank(const struct nova_pic_chip *chip, unsigned pin)
{
        return pin == 8 ? 8 : (pin - chip->lowest - 1) & 7;
}

/* Returns the pin in service with the highest priority; 8: none. In special mask mode, pins that
 * are masked do not count: they block no other pin, and only a specific end ends them. */
static unsigned served(const struct nova_pic_chip *chip)
{
        const unsigned hidden = chip->special_mask ? chip->mask : 0;

        return first_of(chip, chip->service & ~hidden & 0xff);
}

/* Returns the next pin to serve: a pin that no pin in service blocks. 8: none, or the chip is not
 * initialised */
static unsigned next(const struct nova_pic_chip *chip)
{
        const unsigned pin = first_of(chip, chip->request & ~chip->mask & 0xff);

        return !chip->step && rank(chip, pin) < rank(chip, served(chip)) ? pin : 8;
}

/* Returns true if the chip's output line is high. */
static bool output(const struct nova_pic_chip *chip)
{
        return next(chip) < 8 || chip->ended;
}

/* Turns an edge or a level into a request, and withdraws the request when the line goes low. If the
 * CPU has been notified of the edge, its acknowledge returns a spurious interrupt, unless another
 * edge of the pin comes first. For the cascade's pin, the other chip reports the spurious
 * interrupt. */
static void set_pin(struct nova_pic_chip *chip, unsigned pin, bool level, bool cascade)
{
        const uint8_t bit = (uint8_t)(1u << pin);

        if (!level) {
                if (!cascade && !(chip->level & bit) && next(chip) == pin)
                        chip->ended |= bit;
                chip->pins &= (uint8_t)~bit;
                chip->request &= (uint8_t)~bit;
                return;
        }
        if (!(chip->pins & bit) || chip->level & bit)
                chip->request |= bit;
        chip->pins |= bit;
        chip->ended &= (uint8_t)~bit;
}

static void update(struct nova_pic *pic)
{
        set_pin(&pic->chip[FIRST], CASCADE_PIN, output(&pic->chip[SECOND]), true);
        nova_line_set(&pic->out, nova_pic_pending(pic));
}

/* Resets a chip. Lines that are high request an interrupt only if they are level-triggered. */
static void reset(struct nova_pic_chip *chip)
{
        const uint8_t level = chip->level, pins = chip->pins;

        memset(chip, 0, sizeof(*chip));
        chip->level = level;
        chip->pins = pins;
        chip->request = pins & level;
        chip->lowest = 7;
}

void nova_pic_init(struct nova_pic *pic, const struct nova_line *out)
{
        memset(pic, 0, sizeof(*pic));
        for (unsigned i = 0; i < 2; i++) {
                reset(&pic->chip[i]);
                pic->chip[i].mask = 0xff;
        }
        pic->out = *out;
}

void nova_pic_set(void *context, unsigned pin, bool level)
{
        struct nova_pic *const pic = context;

        if (pin > 15 || pin == CASCADE_PIN)
                return;
        set_pin(&pic->chip[pin >> 3], pin & 7, level, false);
        update(pic);
}

bool nova_pic_pending(const struct nova_pic *pic)
{
        return output(&pic->chip[FIRST]);
}

/* Serves a pin, as the CPU's acknowledge does. */
static void serve(struct nova_pic_chip *chip, unsigned pin)
{
        const uint8_t bit = (uint8_t)(1u << pin);

        if (!(chip->level & bit))
                chip->request &= (uint8_t)~bit;
        if (!chip->auto_end)
                chip->service |= bit;
        else if (chip->rotates)
                chip->lowest = (uint8_t)pin;
}

static unsigned take_from(struct nova_pic_chip *chip)
{
        const unsigned pin = next(chip);

        chip->ended = 0;
        if (pin == 8)
                return chip->base + SPURIOUS;
        serve(chip, pin);
        return chip->base + pin;
}

unsigned nova_pic_take(struct nova_pic *pic)
{
        const bool cascaded = next(&pic->chip[FIRST]) == CASCADE_PIN;
        unsigned vector = take_from(&pic->chip[FIRST]);

        if (cascaded)
                vector = take_from(&pic->chip[SECOND]);
        update(pic);
        return vector;
}

static void end_of_interrupt(struct nova_pic_chip *chip, uint8_t value)
{
        const unsigned pin = value & OCW2_SPECIFIC ? value & 7u : served(chip);

        if (value & OCW2_END && pin < 8)
                chip->service &= (uint8_t) ~(1u << pin);
        if (value & OCW2_ROTATE && !(value & (OCW2_END | OCW2_SPECIFIC)))
                chip->rotates = true;
        else if (!(value & (OCW2_ROTATE | OCW2_END | OCW2_SPECIFIC)))
                chip->rotates = false;
        else if (value & OCW2_ROTATE && pin < 8)
                chip->lowest = (uint8_t)pin;
        else if ((value & (OCW2_SPECIFIC | OCW2_END | OCW2_ROTATE)) ==
                 (OCW2_SPECIFIC | OCW2_ROTATE))
                chip->lowest = value & 7;
}

static void write_command(struct nova_pic_chip *chip, uint8_t value)
{
        if (value & ICW1) {
                reset(chip);
                chip->step = 2;
                chip->wants_icw3 = !(value & ICW1_SINGLE);
                chip->wants_icw4 = value & ICW1_ICW4;
        } else if (value & OCW3) {
                if (value & OCW3_POLL)
                        chip->polled = true;
                if (value & OCW3_READ)
                        chip->reads_service = value & OCW3_READ_SERVICE;
                if (value & OCW3_MASK)
                        chip->special_mask = value & OCW3_MASK_ON;
        } else {
                end_of_interrupt(chip, value);
        }
}

static void write_data(struct nova_pic_chip *chip, uint8_t value)
{
        const uint8_t fourth = chip->wants_icw4 ? 4 : 0;

        switch (chip->step) {
        case 2:
                chip->base = value & 0xf8;
                chip->step = chip->wants_icw3 ? 3 : fourth;
                break;
        case 3: /* the pin of the second chip is fixed */
                chip->step = fourth;
                break;
        case 4:
                chip->auto_end = value & ICW4_AUTO;
                chip->step = 0;
                break;
        default:
                chip->mask = value;
                chip->ended &= (uint8_t)~value; /* a masked pin raises no spurious interrupt */
                break;
        }
}

static uint8_t poll(struct nova_pic_chip *chip)
{
        const unsigned pin = next(chip);

        chip->polled = false;
        chip->ended = 0; /* the poll acknowledges */
        if (pin == 8)
                return 0;
        serve(chip, pin);
        return (uint8_t)(POLL_PENDING | pin);
}

uint64_t nova_pic_read(void *context, uint64_t port, unsigned bytes)
{
        struct nova_pic *const pic = context;
        struct nova_pic_chip *const chip =
                &pic->chip[port == 0x4d0 || port == 0x4d1 ? port & 1 : port >> 7 & 1];

        (void)bytes;
        if (port >> 4 == 0x4d)
                return chip->level;
        if (chip->polled) {
                const uint8_t answer = poll(chip);
                update(pic);
                return answer;
        }
        if (port & 1)
                return chip->mask;
        return chip->reads_service ? chip->service : chip->request;
}

/* Sets the level-triggered pins. Each of these pins whose line is high requests an interrupt. */
static void write_level(struct nova_pic_chip *chip, uint8_t value)
{
        chip->level = value;
        chip->request |= chip->pins & value;
}

/* Writes a command of the first chip. After its initialisation, the first chip treats the second
 * chip's output, if it is high, as a new edge; otherwise no further interrupt of the second chip
 * could come. */
static void write_first(struct nova_pic *pic, uint8_t value)
{
        if (value & ICW1)
                pic->chip[FIRST].pins &= (uint8_t) ~(1u << CASCADE_PIN);
        write_command(&pic->chip[FIRST], value);
}

void nova_pic_write(void *context, uint64_t port, unsigned bytes, uint64_t value)
{
        struct nova_pic *const pic = context;

        (void)bytes;
        if (port == 0x4d0)
                write_level(&pic->chip[FIRST], value & 0xf8); /* timer, keyboard, cascade: edges */
        else if (port == 0x4d1)
                write_level(&pic->chip[SECOND], value & 0xde);
        else if (port & 1)
                write_data(&pic->chip[port >> 7 & 1], (uint8_t)value);
        else if (port >> 7 & 1)
                write_command(&pic->chip[SECOND], (uint8_t)value);
        else
                write_first(pic, (uint8_t)value);
        update(pic);
}
