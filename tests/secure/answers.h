/* SPDX-License-Identifier: BSD-2-Clause */
/* Known answers, in hexadecimal: NIST CAVS for AES-256-GCM (gcmEncryptExtIV256, gcmDecrypt256, with
 * nonces of 96 bits and tags of 128) and SHA-256, RFC 5869 for HKDF, RFC 7748 for X25519. */
#ifndef TESTS_SECURE_ANSWERS_H
#define TESTS_SECURE_ANSWERS_H

static const struct {
        const char *key, *nonce, *plain, *with, *sealed, *tag;
} gcm_answers[] = {
        {"b52c505a37d78eda5dd34f20c22540ea1b58963cf8e5bf8ffa85f9f2492505b4",
         "516c33929df5a3284ff463d7", "", "", "", "bdc1ac884d332457a1d2664f168c76f0"},
        {"5fe0861cdc2690ce69b3658c7f26f8458eec1c9243c5ba0845305d897e96ca0f",
         "770ac1a5a3d476d5d96944a1", "", "", "", "196d691e1047093ca4b3d2ef4baba216"},
        {"f5a2b27c74355872eb3ef6c5feafaa740e6ae990d9d48c3bd9bb8235e589f010",
         "58d2240f580a31c1d24948e9", "", "", "", "15e051a5e4a5f5da6cea92e2ebee5bac"},
        {"78dc4e0aaf52d935c3c01eea57428f00ca1fd475f5da86a49c8dd73d68c8e223",
         "d79cf22d504cc793c3fb6c8a", "", "b96baa8c1c75a671bfb2d08d06be5f36", "",
         "3e5d486aa2e30b22e040b85723a06e76"},
        {"4457ff33683cca6ca493878bdc00373893a9763412eef8cddb54f91318e0da88",
         "699d1f29d7b8c55300bb1fd2", "", "6749daeea367d0e9809e2dc2f309e6e3", "",
         "d60c74d2517fde4a74e0cd4709ed43a9"},
        {"31bdadd96698c204aa9ce1448ea94ae1fb4a9a0b3c9d773b51bb1822666b8f22",
         "0d18e06c7c725ac9e362e1ce", "2db5168e932556f8089a0622981d017d", "",
         "fa4362189661d163fcd6a56d8bf0405a", "d636ac1bbedd5cc3ee727dc2ab4a9489"},
        {"460fc864972261c2560e1eb88761ff1c992b982497bd2ac36c04071cbb8e5d99",
         "8a4a16b9e210eb68bcb6f58d", "99e4e926ffe927f691893fb79a96b067", "",
         "133fc15751621b5f325c7ff71ce08324", "ec4e87e0cf74a13618d0b68636ba9fa7"},
        {"4c8ebfe1444ec1b2d503c6986659af2c94fafe945f72c1e8486a5acfedb8a0f8",
         "473360e0ad24889959858995", "7789b41cb3ee548814ca0b388c10b343", "",
         "d2c78110ac7e8f107c0df0570bd7c90c", "c26a379b6d98ef2852ead8ce83a833a7"},
        {"92e11dcdaa866f5ce790fd24501f92509aacf4cb8b1339d50c9c1240935dd08b",
         "ac93a1a6145299bde902f21a", "2d71bcfa914e4ac045b2aa60955fad24",
         "1e0889016f67601c8ebea4943bc23ad6", "8995ae2e6df3dbf96fac7b7137bae67f",
         "eca5aa77d51d4a0a14d9c51e1da474ab"},
        {"82c4f12eeec3b2d3d157b0f992d292b237478d2cecc1d5f161389b97f999057a",
         "7b40b20f5f397177990ef2d1", "982a296ee1cd7086afad976945", "", "ec8e05a0471d6b43a59ca5335f",
         "113ddeafc62373cac2f5951bb9165249"},
        {"db4340af2f835a6c6d7ea0ca9d83ca81ba02c29b7410f221cb6071114e393240",
         "40e438357dd80a85cac3349e", "8ddb3397bd42853193cb0f80c9", "", "b694118c85c41abf69e229cb0f",
         "c07f1b8aafbd152f697eb67f2a85fe45"},
        {"dc776f0156c15d032623854b625c61868e5db84b7b6f9fbd3672f12f0025e0f6",
         "67130951c4a57f6ae7f13241",
         "9378a727a5119595ad631b12a5a6bc8a91756ef09c8d6eaa2b718fe86876da20",
         "fd0920faeb7b212932280a009bac969145e5c316cf3922622c3705c3457c4e9f124b2076994323fbcfb523f8"
         "ed16d241",
         "6d958c20870d401a3c1f7a0ac092c97774d451c09f7aae992a8841ff0ab9d60d",
         "b876831b4ecd7242963b040aa45c4114"},
        {"1fded32d5999de4a76e0f8082108823aef60417e1896cf4218a2fa90f632ec8a",
         "1f3afa4711e9474f32e70462",
         "06b2c75853df9aeb17befd33cea81c630b0fc53667ff45199c629c8e15dce41e530aa792f796b8138eeab2e8"
         "6c7b7bee1d40b0",
         "",
         "91fbd061ddc5a7fcc9513fcdfdc9c3a7c5d4d64cedf6a9c24ab8a77c36eefbf1c5dc00bc50121b96456c8cd8"
         "b6ff1f8b3e480f",
         "30096d340f3d5c42d82a6f475def23eb"},
        {"5fe01c4baf01cbe07796d5aaef6ec1f45193a98a223594ae4f0ef4952e82e330",
         "bd587321566c7f1a5dd8652d",
         "881dc6c7a5d4509f3c4bd2daab08f165ddc204489aa8134562a4eac3d0bcad7965847b102733bb63d1e5c598"
         "ece0c3e5dadddd",
         "9013617817dda947e135ee6dd3653382",
         "16e375b4973b339d3f746c1c5a568bc7526e909ddff1e19c95c94a6ccff210c9a4a40679de5760c396ac0e2c"
         "eb1234f9f5fe26",
         "abd3d26d65a6275f7a4f56b422acab49"},
        {"24501ad384e473963d476edcfe08205237acfd49b5b8f33857f8114e863fec7f",
         "9ff18563b978ec281b3f2794",
         "27f348f9cdc0c5bd5e66b1ccb63ad920ff2219d14e8d631b3872265cf117ee86757accb158bd9abb3868fdc0"
         "d0b074b5f01b2c",
         "adb5ec720ccf9898500028bf34afccbcaca126ef",
         "eb7cb754c824e8d96f7c6d9b76c7d26fb874ffbf1d65c6f64a698d839b0b06145dae82057ad55994cf59ad7f"
         "67c0fa5e85fab8",
         "bc95c532fecc594c36d1550286a7a3f0"},
};

static const struct {
        const char *data, *digest;
} sha256_answers[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"bd", "68325720aabd7c82f30f554b313d0570c95accbb7dc4b5aae11204c08ffe732b"},
        {"5fd4", "7c4fbf484498d21b487b9d61de8914b2eadaf2698712936d47c3ada2558f6788"},
        {"b0bd69", "4096804221093ddccfbf46831490ea63e9e99414858f8d75ff7f642c7ca61803"},
        {"c98c8e55", "7abc22c0ae5af26ce93dbb94433a0e0b2e119d014f8e7f65bd56c61ccccd9504"},
        {"81a723d966", "7516fb8bb11350df2bf386bc3c33bd0f52cb4c67c6e4745e0488e62c2aea2605"},
};

static const struct {
        const char *secret, *salt, *info, *derived;
} hkdf_answers[] = {
        {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
         "f0f1f2f3f4f5f6f7f8f9",
         "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"},
        {"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b"
         "2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f",
         "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b"
         "8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
         "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadb"
         "dcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
         "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c6"
         "5e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"},
        {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
         "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"},
};

static const struct {
        const char *key, *point, *secret;
} x25519_answers[] = {
        {"a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
         "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
         "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"},
        {"4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
         "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
         "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"},
        {"0900000000000000000000000000000000000000000000000000000000000000",
         "0900000000000000000000000000000000000000000000000000000000000000",
         "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"},
};

/* Points of small order, which give no shared secret. */
static const char *const x25519_refused[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

#endif
