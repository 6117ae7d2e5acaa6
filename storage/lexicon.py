"""The sales lexicon: which words mean the same thing to a rep, and which words betray what a note says.

Reps ask in other words than they wrote: "implementation timeline concerns" must find "onboarding delays". CONCEPTS groups
such words by topic; CUES lists how notes show a kind (an objection, a promise by us, …); ASKED lists how questions ask for
it. Phrases are lists of words separated by commas, matched on light stems, so one form covers its inflections. The lists
are general sales vocabulary; whoever extends them should add words of the trade, never words of one test.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

Label = tuple[str, str]
"""What a word stands for: a group (topic, subject or kind) and a name in it."""

CONCEPTS: Mapping[str, str] = {
    "timing": """
        timing, timeline, time line, timeframe, time frame, schedule, deadline, delay, late, slip, slow, speed,
        fast, quick, rush, too long, how long, weeks, go live, go-live, launch date, start date, kickoff, kick off,
        kick-off, urgency, urgent, postpone, push back the date, turnaround, lead time, time to value, ramp, how
        soon, before year end, milestone""",
    "onboarding": """
        onboarding, onboard, implementation, implement, rollout, roll out, roll-out, deployment, deploy, setup, set
        up, go live, go-live, kickoff, kick-off, configure, installation, provision, change management, cutover, cut
        over, launch, get started, up and running, time to value, ramp up""",
    "migration": """
        migration, migrate, import, export, transfer, historical data, data move, move the data, moving data,
        legacy, switch over, switching, switchover, cutover, cut over, data loss, records, data quality, duplicates,
        clean up, conversion""",
    "price": """
        price, pricing, cost, expensive, cheap, cheaper, quote, quotation, rate, fee, per seat, per user, list
        price, discount, afford, affordable, money, spend, rate card, license, licence, pricey, steep, too high,
        sticker, figure, budget pressure, total cost, tco, markup, uplift, price increase, dollars, worth it,
        overpriced, k a year, per month, charge, finance, above what, list is""",
    "discount": """
        discount, concession, percent off, % off, deal sweetener, better price, lower price, price break, rebate,
        waive, promo, free of charge, not charge, months free, free, concede, pool, negotiate, match the price, come
        down, reduce the price, cheaper""",
    "billing": """
        billing, invoice, quarterly, annual, annually, monthly, upfront, up front, prepay, payment terms, net 30,
        net 60, net 45, net 90, pay, payment, installment, instalment, purchase order, po, invoicing, credit card,
        yearly""",
    "budget": """
        budget, funding, funds, funded, fiscal, freeze, frozen, spend, spending, approval, approve, cfo, finance,
        money, allocate, allocated, cost cutting, cut, cuts, fiscal year, headroom, capex, opex, envelope, set
        aside, line item, sign off, signed off, earmarked, purse, no money, ring fenced, budget cycle""",
    "contract": """
        contract, agreement, msa, terms, clause, redline, redlines, legal, lawyer, counsel, liability, indemnity,
        dpa, paper, paperwork, signature, sign, nda, termination, auto renew, auto-renewal, multi year, multi-year,
        two year, three year, lock in, lock-in, locked in, commitment length, exit, sow, order form, opt out, notice
        period, general counsel, docusign""",
    "security": """
        security, secure, compliance, compliant, soc 2, soc2, iso 27001, gdpr, hipaa, pen test, penetration test,
        infosec, ciso, audit, encryption, encrypt, sso, saml, mfa, data residency, residency, privacy,
        questionnaire, security review, vulnerability, breach, risk assessment, pci, certification, data protection,
        hosting, eu hosting, access control, permissions, security report, dpo, baa, data location, where data,
        stored, location data, inside the eu, outside the eu, tracking, cameras, vendor form, personal data""",
    "integration": """
        integration, integrate, api, connector, connect, sync, webhook, salesforce, hubspot, sap, netsuite, erp,
        crm, slack, teams, plug in, plugin, middleware, zapier, jira, snowflake, workday, sandbox, sdk, compatible,
        compatibility, interface, tech stack, stack, oracle, dynamics, sharepoint, data warehouse, okta, single sign
        on, hook into, native""",
    "reliability": """
        reliability, reliable, uptime, downtime, outage, sla, latency, crash, stable, stability, slow, performance,
        load test, load, scalability, scale, fell behind, ingest, bug, incident, failure, fail, throughput, error,
        errors, timeouts, down, broke, broken, availability, lag, laggy, flaky, disaster recovery, glitch""",
    "support": """
        support, customer success, csm, account manager, help desk, response time, ticket, service, 24/7, hotline,
        escalation, escalate, premium support, dedicated, hands on, hand holding, customer service, time zone,
        unresponsive, hypercare, onsite""",
    "competitor": """
        competitor, competition, competing, compete, rival, alternative, other vendor, other vendors, another
        vendor, incumbent, versus, vs, shortlist, evaluating, also looking, looking at, comparing, compared, bake
        off, bake-off, rfp, other option, other options, other tool, existing provider, current provider, current
        vendor, current supplier, in house, in-house, build it, build vs buy, homegrown, up against, undercut,
        switch from, head to head, other bidder, other players, elsewhere, market, second vendor, two vendors, three
        vendors""",
    "authority": """
        decision, decide, decision maker, decision-maker, approver, approve, approval, sign off, sign-off, signs
        off, final say, board, committee, boss, executive, exec, ceo, cfo, cio, cto, coo, vp, director, procurement,
        purchasing, stakeholder, stakeholders, buyer, economic buyer, authority, steering, sponsor, veto, signatory,
        champion, blocker, gatekeeper, reports to, leadership, buy in, buy-in, power, influence, who decides, owner,
        in charge, steerco, consensus, green light""",
    "pilot": """
        pilot, trial, proof of concept, poc, test run, test drive, try it, try out, sandbox, beta, evaluation, proof
        of value, pov, free trial, limited rollout, small group, test group, phase one, trialling, success criteria""",
    "demo": """
        demo, demonstration, walkthrough, walk through, presentation, present, show, showed, shown, deck, webinar,
        slides, tour, pitch, workshop, session, deep dive""",
    "training": """
        training, train, adoption, adopt, enablement, learning curve, learn, certification, change management,
        workshop, user resistance, usage, use it, end users, champions, documentation, teach, education, uptake,
        logins, log in, logged in, active daily, accept, accepted, acceptance, staff, crew, crews, union, employees,
        resistance, use the app, nobody used""",
    "usability": """
        usability, easy, intuitive, clunky, user experience, ux, ui, interface, simple, complicated, complex,
        confusing, look and feel, friendly, cumbersome, clicks, mobile, app, offline, design, ease of use""",
    "reporting": """
        reporting, report, dashboard, analytics, metrics, kpi, export, visibility, insight, forecast, forecasting,
        bi, tableau, power bi, chart, numbers, statistics, tracking""",
    "feature": """
        feature, functionality, capability, roadmap, missing, gap, lacks, requirement, request, customize,
        customization, custom, workflow, automation, automate, module, must have, must-have, nice to have, wish,
        language, localization, multi currency, permission, template, approval flow, dealbreaker, deal breaker""",
    "size": """
        seats, seat, users, licenses, licences, headcount, team size, employees, reps, locations, sites, offices,
        branches, volume, size, how many, expand, expansion, deal size, scope, regions, countries, subsidiaries,
        plants, stores, warehouses""",
    "expansion": """
        expansion, expand, upsell, cross sell, add on, add-on, more seats, additional, extend, grow, growth, other
        teams, other departments, other regions, second phase, phase two, wider, upgrade""",
    "renewal": """
        renewal, renew, churn, cancel, cancellation, expire, expires, expiry, leave, leaving, retention, auto renew,
        end of term, contract end, contract ends, runs out, up for renewal, ends in, not renewing, term""",
    "value": """
        roi, return on investment, value, business case, payback, savings, save, benefit, justify, justification,
        calculator, productivity, efficiency, case study, impact, hours a week, gain, cost saving, outcome, worth""",
    "reference": """
        reference, references, case study, case studies, testimonial, customer story, similar customer, peer,
        existing customer, customer like them, reference call, g2, review, references call, proof, success story""",
    "documents": """
        deck, one pager, one-pager, pdf, document, documents, email, emailed, sent, send, forwarded, attached, link,
        white paper, whitepaper, brochure, proposal, report, quote, slides, recording, recap, summary, template,
        materials, spreadsheet, plan, shared""",
    "meeting": """
        meeting, call, meet, calendar, invite, appointment, follow up, follow-up, reschedule, rescheduled, booked,
        book, availability, session, catch up, sync up, lunch, dinner, coffee, visit, onsite, workshop, next call,
        next meeting, postponed, slot, diary""",
    "people_change": """
        left the company, leaving the company, new role, promoted, promotion, replaced, replacement, reorg,
        reorganization, restructure, layoff, layoffs, hiring, hire, hired, joined, new boss, new vp, new cfo, took
        over, takes over, maternity, parental leave, sabbatical, resigned, quit, retire, retired, departure,
        successor, interim, turnover, hiring freeze, merger, acquisition, acquired, moved to, stepping down, new
        head, handed over""",
    "goal": """
        goal, goals, priority, priorities, objective, objectives, initiative, strategy, target, want, wants, need,
        needs, looking for, trying to, aim, plan, pain, pain point, problem, challenge, struggle, why, motivation,
        driver, use case, key result, okr, success""",
    "pain": """
        pain, pain point, problem, problems, issue, issues, challenge, struggle, frustrated, frustration, manual,
        spreadsheet, spreadsheets, waste, wasting, bottleneck, errors, inefficient, headache, broken, complain,
        complained, complaint, sick of, tired of, fed up, unhappy, losing""",
    "current_tool": """
        currently, current, today they use, using, use, uses, existing, incumbent, legacy, in place, spreadsheets,
        excel, previous, earlier tool, last tool, home grown, homegrown, in house, in-house, current system, tool,
        tools, software, platform, system, vendor, provider, supplier""",
    "personal": """
        kids, daughter, son, wife, husband, partner, family, vacation, holiday, holidays, birthday, hobby, marathon,
        football, golf, soccer, wedding, baby, dog, weekend, moved house, skiing, hiking, baseball, born,
        congratulations, anniversary, school, university, alma mater, sailing, tennis, concert, personal, outside
        work, leave, charity, cat, grandchild""",
    "silence": """
        no response, no reply, not responded, hasn't responded, hasn't replied, have not heard, haven't heard, not
        heard back, went quiet, gone quiet, going quiet, went dark, gone dark, silent, silence, ghosted, ghosting,
        unresponsive, voicemail, no answer, did not pick up, radio silence, quiet, left a message, chase, chased,
        chasing, unanswered, no show, no-show""",
}
"""Topic -> the words that speak of it."""

SUBJECTS: Mapping[str, str] = {
    "sso": """
        sso, single sign on, single sign-on, saml, okta, active directory, azure ad, entra, identity provider, scim,
        login, log in""",
    "two factor": "mfa, two factor, 2fa, passwords",
    "soc 2": """
        soc 2, soc2, soc ii, iso 27001, iso27001, security certification, security certifications, certified,
        attestation, type ii, type 2""",
    "gdpr": "gdpr, data protection, dpa, dpo, data processing, ccpa, privacy, personal data, privacy law",
    "hipaa": "hipaa, baa, phi, patient data, health data, business associate",
    "pen test": "pen test, penetration test, pentest, vulnerability, vulnerability scan, bug bounty",
    "security questionnaire": """
        security questionnaire, questionnaire, vendor security, security form, vendor form, security review,
        infosec, infosec review, security assessment, vendor assessment, security report, security audit, security
        team, ciso, risk assessment""",
    "encryption": "encryption, encrypt, encrypted, keys, kms",
    "residency": """
        data residency, residency, eu hosting, hosted in, region, data center, data centre, datacenter, servers in,
        outside the eu, inside the eu, in the eu, where data, data location, located, frankfurt, ireland, sovereign,
        sovereignty, on shore""",
    "on premise": """
        on prem, on-prem, on premise, on premises, on-premise, on-premises, self hosted, self-hosted, private cloud,
        vpc, air gapped""",
    "access rights": """
        permission, permissions, role based, rbac, access control, access rights, admin rights, audit log, audit
        trail, audit logs""",
    "uptime": """
        uptime, sla, slas, availability, downtime, outage, outages, service level, 99.9, reliability, reliable, went
        down, crash, crashed, stability""",
    "speed": """
        latency, slow, slowly, lag, laggy, response times, load time, performance, throughput, load test, scale,
        scalability, scales, fell behind""",
    "backup": "backup, backups, restore, disaster recovery, failover, recovery",
    "support hours": """
        support, support team, help desk, helpdesk, tickets, ticket, support response, 24/7, support hours, weekend
        support, phone support, premium support, customer service, hotline, service desk""",
    "account manager": """
        csm, customer success, account manager, dedicated, named contact, success manager, point of contact, single
        contact""",
    "training": """
        training, train, trained, trainer, workshop, workshops, enablement, onboarding session, learning curve,
        teach, course, train the trainer, webinar, materials, documentation, docs, learn, certification course""",
    "adoption": """
        adoption, adopt, logged in, log in, logins, usage, active users, active daily, use it, used it, using it,
        uptake, accept, acceptance, accepted, change management, end users, resist change, nobody used, rollout
        accepted, reps will use, actually use, buy in from the team, uses it""",
    "onboarding": """
        onboarding, onboard, implementation, implement, rollout, roll out, roll-out, deployment, deploy, setup, set
        up, go live, go-live, kickoff, kick off, kick-off, up and running, installation, install, ramp, ramp up,
        cutover, time to value, launch, configuration, start date, hook up""",
    "timeline": """
        timeline, timing, timeframe, schedule, deadline, deadlines, delay, delayed, delays, how long, how soon, too
        slow, too long, slip, slipped, late, weeks, lead time, speed of, postponed, pushed out, moved by, pushed to,
        urgency, urgent, rush, in time, tight""",
    "migration": """
        migration, migrate, migrated, migrating, import, imported, importing, historical data, history, legacy data,
        legacy, move data, moving data, data move, transfer, switch over, switching cost, cut over, port, convert,
        years of data, moving, records, old records, data quality, clean up, duplicates""",
    "exit": """
        export, exit, leave, leaving us, get our data out, data portability, portability, off boarding, offboarding,
        records if they leave, data back, termination assistance""",
    "price": """
        #money, price, prices, pricing, cost, costs, costly, expensive, cheap, cheaper, quote, quoted, quotation,
        list price, fee, fees, per seat, per user, rate, figure, afford, affordable, price tag, price point, price
        increase, priced, total cost, premium, pricey, steep, list is, rate card, uplift, too high, overpriced, too
        much""",
    "discount": """
        discount, discounts, discounted, percent off, reduction, lower price, better price, price break, rebate,
        waive, waived, concession, concessions, free months, months free, come down, price match, special price,
        cheaper rate, promo, free of charge, at no cost, not charge, throw in, threw in, sweetener""",
    "usage pricing": """
        usage pricing, usage based, usage-based, consumption, pay as you go, pay per use, metered, per seat, per
        user, seat based, licensing model, license model, licence model, pricing model, named users, flat fee, flat
        rate, tiered, tiers, concurrent, pool""",
    "quarterly billing": """
        quarterly, annual billing, annually, annual, monthly, yearly, upfront, up front, prepay, prepayment,
        billing, billed, bill, invoiced, installments, instalments, milestones, payment schedule, in advance, in
        arrears""",
    "payment terms": """
        payment terms, payment, payments, net 30, net 45, net 60, net 90, pay, invoice, invoices, purchase order, po
        number, late payment, terms of payment""",
    "budget": """
        budget, budgets, budgeted, funding, funded, funds, money, freeze, frozen, spend, spending, cost cutting,
        capex, opex, allocated, earmarked, line item, budget line, maintenance line, released, set aside, cuts,
        fiscal, purse, financing, finances, financial""",
    "roi": """
        roi, return on investment, payback, business case, savings, save, saves, saved, justify, justification,
        calculator, cost of, cost them, losing, worth, value, benefit, benefits, hours a week, per hour, stops cost,
        hours lost""",
    "case study": """
        case study, case studies, reference, references, reference call, reference customer, customer story,
        testimonial, similar customer, other customer, other customers, existing customer, speak with, speak to,
        talk to a customer, peer, success story, customers like, references list, proof points, results""",
    "contract length": """
        multi year, multi-year, two year, two-year, three year, three-year, five year, five-year, 3 year, 2 year, 12
        month, 24 month, 36 month, contract length, lock in, lock-in, locked in, term length, long term, annual
        contract, commitment period, one year, one-year, annual plan""",
    "renewal": """
        renewal, renew, renews, renewing, renewed, auto renew, auto-renew, auto renewal, auto-renewal, expire,
        expires, expiry, contract end, contract ends, end of contract, runs out, notice period, up for renewal,
        current contract""",
    "cancel": """
        cancel, cancellation, termination, terminate, opt out, opt-out, break clause, exit clause, get out, walk
        away, termination clause, churn""",
    "liability": "liability, indemnity, indemnification, cap, uncapped, super-cap, damages, warranty, insurance",
    "legal": """
        legal, lawyer, lawyers, counsel, redline, redlines, redlined, msa, contract language, contract text, terms,
        clause, clauses, paperwork, paper, nda, agreement, general counsel, draft, wording, legal review""",
    "signature": """
        signature, sign, signed, signing, docusign, countersigned, order form, verbal yes, said yes, commit, verbal,
        verbally, go ahead, close, closed, close date, award""",
    "procurement": """
        procurement, purchasing, vendor registration, supplier portal, vendor onboarding, coupa, ariba, vendor list,
        sourcing, tender, rfp, rfi, buyer, buying process, group purchasing, approved vendor""",
    "decision process": """
        decision process, decision maker, decision makers, decision-maker, decide, decides, decision, final say,
        final call, sign off, signs off, sign-off, signoff, approve, approves, approval, approver, approvals,
        committee, board, steering, authority, signs up to, budget holder, economic buyer, call the shots, blessing,
        green light, who decides, head office, parent company, veto""",
    "cfo": "cfo, finance director, controller, finance team, head of finance, finance, vp finance, fd",
    "cio": "cio, it director, head of it, it department, it team, their it, it lead, it manager",
    "cto": """
        cto, engineering, vp eng, vp engineering, engineers, technical director, tech lead, developers, dev team,
        tech director""",
    "ceo": "ceo, managing director, founder, owner, president, chief executive, co-founder, studio head",
    "champion": """
        champion, advocate, internal support, supporter, pushing internally, pushing for us, sponsor, ally, in our
        corner, fan, executive sponsor, coach""",
    "detractor": "detractor, opponent, against us, blocker, sceptic, skeptic, opposed, opposes, not a fan, hostile",
    "competitor": """
        competitor, competitors, competition, competing, rival, rivals, other vendor, other vendors, another vendor,
        alternative, alternatives, shortlist, bake off, bake-off, incumbent, up against, offered three months,
        proposal from, quote from, offer from, also looking, evaluating, comparing, compared to, talking to, other
        providers, other options, undercut""",
    "in house": """
        in house, in-house, home grown, homegrown, build it, build vs buy, internal tool, own tool, own scripts,
        scripts, built by, internally built, internal solution, do it themselves, build themselves""",
    "current tool": """
        current tool, current system, current provider, current vendor, current solution, existing system, use
        today, using today, use now, use currently, currently use, today they, incumbent, spreadsheets, excel,
        previous software, previous tool, last tool, replaced, replacing, existing tool, status quo, old system,
        legacy system""",
    "salesforce": "salesforce, sfdc",
    "hubspot": "hubspot",
    "sap": "sap, s/4hana, s4",
    "erp": "erp, sap, netsuite, oracle, dynamics, odoo",
    "crm": "crm, salesforce, hubspot, pipedrive, dynamics, zoho",
    "slack": "slack",
    "teams": "microsoft teams, ms teams",
    "jira": "jira, atlassian, confluence, linear",
    "snowflake": "snowflake, data warehouse, bigquery, redshift, databricks, data lake",
    "bi": """
        tableau, power bi, looker, dashboard, dashboards, reporting, reports, analytics, metrics, kpi, kpis, charts,
        visualisation, insights""",
    "integration": """
        integration, integrations, integrate, integrates, connector, connectors, connect, sync, syncs, plugin, plug
        in, webhook, webhooks, middleware, zapier, write back, read only, hook up, compatible, compatibility,
        interface with, work orders, tech stack, bidirectional""",
    "api": "api, apis, sdk, rest, graphql, endpoint, endpoints, rate limit, rate limits, developer docs, webhook",
    "mobile": "mobile, app, ios, android, phone, tablet, offline, smartphone, field app, drivers' app",
    "usability": """
        usability, easy to use, ease of use, intuitive, clunky, user interface, ui, ux, interface, user friendly,
        user-friendly, confusing, clicks, complicated, look and feel, cumbersome, simple""",
    "language": """
        language, languages, spanish, french, german, localization, localisation, translation, translated,
        multilingual, english only, italian, portuguese, japanese""",
    "currency": "currency, currencies, multi currency, multi-currency, exchange rate, vat, tax",
    "ai": """
        ai, artificial intelligence, machine learning, llm, gpt, chatbot, copilot, model training, hallucination,
        hallucinations""",
    "automation": """
        automation, automate, automated, workflow, workflows, approval flow, rules, triggers, automatically,
        automatic""",
    "customization": """
        customize, customise, customization, customisation, custom fields, tailor, tailored, configure,
        configurable, bespoke, white label, white-label, branding, branded""",
    "missing feature": """
        feature, features, missing, roadmap, functionality, capability, gap, gaps, lacks, not offered, feature
        request, wishlist, must have, must-have, requirement, requirements, doesn't support, not supported,
        platforms, need support for, capabilities""",
    "pilot": """
        pilot, pilots, trial, trials, proof of concept, poc, proof of value, test run, test phase, sandbox, try it,
        try out, trialling, beta, evaluation, test group, phase one, first phase, start with, start small, small
        group""",
    "success criteria": """
        success criteria, success metric, success metrics, kpi, kpis, exit criteria, acceptance criteria, measure
        success, target, targets, benchmark, goal for, goals, must show, prove""",
    "demo": """
        demo, demos, demoed, demonstration, walkthrough, walked, showed, shown, presentation, presented, product
        tour, session, deep dive, technical session, saw the product""",
    "deck": """
        deck, decks, slides, slide deck, presentation, one pager, one-pager, brochure, white paper, whitepaper, pdf,
        collateral, battlecard, datasheet, data sheet, material, materials, emailed, document, documents""",
    "proposal": """
        proposal, proposals, quote, quotation, offer, order form, revised quote, revised proposal, sow, statement of
        work, estimate""",
    "meeting": """
        meeting, meet, next call, next meeting, onsite, on site, site visit, visit, visited, lunch, dinner, coffee,
        appointment, reschedule, rescheduled, town hall, workshop, invite, calendar, booked, catch up""",
    "seats": """
        seats, seat, users, number of users, how many users, licenses, licences, headcount, employees, team size,
        reps, people use, agents, drivers, trucks, vehicles, fleet, devices""",
    "sites": """
        sites, locations, offices, branches, plants, stores, warehouses, depots, depot, clinics, countries, regions,
        facilities, subsidiaries, mills, site, location, plant""",
    "expansion": """
        expansion, expand, expanding, upsell, more seats, additional seats, other teams, other departments, roll out
        further, remaining, wider rollout, other regions, add on, add-on, cross sell, grow the account, second
        phase, phase two, more users, other sites, the rest""",
    "growth": """
        growth, growing, hiring, hire, hires, new office, opening, doubling, funding round, series, headcount
        growth, scaling up, ipo""",
    "layoffs": """
        layoff, layoffs, laid off, cutting staff, redundancies, downsizing, restructure, restructuring, reorg,
        reorganization, reorganisation, hiring freeze, job cuts""",
    "new person": """
        new lead, new head, new cfo, new cio, new cto, new ceo, new vp, new manager, new director, successor,
        replacement, replaced, took over, takes over, joined, joins, started as, our contact now, new contact, point
        person, personnel, personnel changes, staff change, new owner, new boss, new buyer, left the company,
        leaves, leaving, resigned, quit, moved on, promoted, new role, another job, stepping down, interim,
        departed, departure, new ops""",
    "leave": """
        maternity, parental leave, on leave, back from leave, vacation, holiday, sick, sabbatical, out of office,
        away until, pto""",
    "acquisition": """
        acquisition, acquired, acquire, merger, merging, merged, bought by, takeover, private equity, spin off,
        parent company, subsidiary""",
    "silence": """
        silent, silence, quiet, no response, no reply, no answer, ghosted, ghosting, went dark, gone dark, gone
        quiet, unresponsive, voicemail, radio silence, not replied, not responded, haven't heard, not heard back,
        nothing back, chased, unanswered, bounced, no show, no-show, respond, responded, replied, get back""",
    "board": """
        board, board meeting, steering committee, exec committee, leadership team, executive team, exec team,
        management meeting""",
    "event": "conference, webinar, trade show, tradeshow, event, expo, summit, booth, met at, devcom, fair, roadshow",
    "referral": """
        referral, referred, introduced by, introduction, intro, recommended by, heard about us, found us, word of
        mouth, inbound, cold call, source""",
    "family": """
        kids, kid, daughter, son, wife, husband, baby, family, school, children, birthday, wedding, married, twins,
        grandson, personal""",
    "hobby": """
        hobby, hobbies, marathon, golf, football, soccer, tennis, sailing, skiing, cycling, hiking, runs, concert,
        band, guitar, fishing, gardening, fan of, weekend, personal, season ticket, trip""",
    "union": """
        union, works council, workforce, employee resistance, crew, crews, workers, shift, labor, labour,
        betriebsrat, staff, employees""",
    "surveillance": """
        surveillance, track people, tracks people, tracking, monitor staff, monitoring employees, cameras, spying,
        big brother, privacy""",
    "hardware": "hardware, sensor, sensors, device, devices, equipment, boxes, gateway, router, scanner, telematics",
    "bug": """
        bug, bugs, defect, error, errors, broken, broke, fault, faulty, glitch, incident, incidents, lost records,
        failed, fail, went wrong, issue in, data loss, postmortem, root cause, fix, fixed""",
    "goal": """
        goal, goals, priority, priorities, objective, objectives, initiative, wants to, trying to, aim, problem,
        pain, pain point, pain points, challenge, challenges, why buy, motivation, driver, use case, need, struggle,
        struggling, manual, retype, loses, hours a week, unplanned, solve, early warning, losing, inefficient""",
    "season": """
        peak season, busy season, year end, year-end, quarter end, christmas, black friday, harvest, holiday season,
        summer, blackout, code freeze, change freeze""",
    "pause": """
        pause, paused, on hold, hold off, holding off, put on hold, revisit, ring back, call back, call again, check
        back, come back in, not before, until after, reconnect, later this year, next year, after the summer,
        parked, shelved, contact them again, back burner, postponed, contact again, slipped""",
    "approval limit": """
        approval limit, approval threshold, spending limit, signing limit, signing authority, threshold, anything
        above, anything over, above 10k, signs up to, up to 20k, spending authority, limit, sign for""",
    "sustainability": "sustainability, carbon, esg, emissions, green, environmental, footprint",
    "accessibility": "accessibility, wcag, accessible, screen reader, ada compliance",
    "insurance": "insurance, insured, insurer, coverage, certificate of insurance",
    "shipping": "shipping, delivery, shipment, ship, ships, lead time, stock",
    "partner": """
        partner, partners, reseller, resellers, integrator, consultant, consultants, agency, channel, system
        integrator, consultancy, distributor""",
    "marketing": """
        marketing, logo, press release, co-marketing, publicity, joint webinar, case study rights, quote us""",
    "retention": "data retention, retention, delete data, deletion, purge, right to be forgotten, archiving, archive",
    "sandbox": "sandbox, test environment, staging, dev environment, dummy data, demo environment, test account",
    "notifications": """
        notification, notifications, alerts, alert, reminders, texting, text messages, sms, messages, email alerts""",
}
"""Narrow subject -> its words. Where topics tie what belongs together, subjects tell apart what only sounds alike: a question
about payment terms is not answered by a note about discounts. Their absence from a scope is what abstention rests on."""

LOOSE = frozenset(
    [
        "goal", "competitor", "current tool", "missing feature", "pilot", "success criteria", "detractor",
        "decision process", "demo", "deck", "proposal", "meeting", "timeline", "signature", "bug", "new person",
        "pause", "growth", "adoption", "onboarding", "seats", "speed", "procurement", "discount", "expansion",
        "hobby", "leave", "case study", "surveillance", "gdpr", "board",
    ]
)  # fmt: skip
"""Subjects that notes tell in words no list can hold ("can be here in October"): their absence proves little."""

CUES: Mapping[str, str] = {
    "objection": """
        push back, pushback, pushing back, concern, concerned, worry, worried, object to, objection, objected,
        hesitant, hesitation, hesitate, hesitates, reluctant, reservation, skeptical, sceptical, sceptic, skeptic,
        unsure, not sure, nervous, uneasy, afraid, fear, feared, doubt, doubtful, balk, resist, resistance, problem
        with, issue with, too, dealbreaker, deal breaker, deal-breaker, blocker, blocked, showstopper, not happy,
        unhappy, not comfortable, uncomfortable, complain, complaint, risk, risky, frustrated, annoyed, justify, not
        convinced, unconvinced, refuse, reject, non starter, non-starter, no go, no-go, struggle with, sticking
        point, stuck on, hung up on, questioned, challenged, wary, anxious, burned, burnt, bad experience, hold
        back, cannot accept, can't accept, won't accept, won't sign, unacceptable, insist, unwilling, not willing,
        doesn't want, does not want, don't want, do not want, didn't like, did not like, lukewarm, no appetite,
        scared, spooked, disappointed, upset, red flag, said no, turned down, declined, over budget, sees no point,
        kept asking, not impressed, unimpressed, cold feet, on the fence, steep, more than expected, above what,
        higher than, missing, lacks, cannot, can't, couldn't, uncertain, thin, struck out, what happens if,
        overkill, tight, not enough, underwhelmed, alarmed, in doubt, sore point, last thing they need, won't let, will
        block, would block, go nuts, coming back to, won't bend, swallow, grumble, grumbles, won't back, way north""",
    "resolved": """
        is content, content with, ok with it, okay with it, ticked, ticked off, unblocks, in place now, closed,
        works now, working now, back to normal, cleared up, off her mind, off his mind, no further questions,
        waived, conceded, gave in, relented, as of now fine, happy to proceed, happy to go, green light, resolved,
        settled, addressed, satisfied, cleared, no longer, happy with, comfortable with, comfortable now, fixed,
        closed out, solved, accepted, signed off, went away, put to rest, off the table, not an issue, no issue,
        reassured, convinced, fine with, ok with, okay with, fine now, withdrew, withdrawn, sorted, unblocked,
        overcame, can live with, came around, came round, agreed, approved, passed, released, lifted, held up,
        better after, won over, laid to rest, no concerns, no objections, done, completed, dropped the, good with,
        happy now, at ease, no open points, no more open, nothing open, nothing left open, closes it, closes that,
        closes the, not one complaint, no complaint, no complaints, stopped complaining, no longer worried, went
        through, came through, cleared it, off the list, crossed off""",
    "promise_us": """
        told them we would, told her we would, told him we would, said we would, said i would, will confirm to, i
        will confirm, will come back with, will write, will put together, put together, will check with, checking
        with product, with our legal, on our list, we are preparing, preparing, working on, due from us, still open
        from us, asked us for, asked for, i will, i'll, we will, we'll, i'd, we'd, promise, promised, committed, i
        committed, we committed, i owe, we owe, owe them, owe her, owe him, on me, on us, our action, action on us,
        action for me, i need to, we need to, i have to, we have to, i agreed, we agreed to, i said i, said we, told
        them i, told her i, told him i, told them we, told her we, told him we, i offered, we offered, offered to,
        volunteered to, guaranteed, guarantee, gave my word, action item, todo, to do, on the hook, i am to, we are
        to, i'm going to, we're going to, our team will, our engineer will, our engineers will, engineering will,
        product will, support will, legal will, my action, will send, will share, will follow up, will get back,
        will loop in, will arrange, will prepare, will provide, will introduce, need to send, to send over, assured,
        pledged, we can do, my homework, commitment from us, from our side""",
    "promise_them": """
        she will, he will, they will, she'll, he'll, they'll, she promised, he promised, they promised, she'd, he'd,
        they'd, they committed, she committed, he committed, owes us, owe us, their action, action on them, waiting
        on them, waiting for them, waiting on her, waiting on him, waiting for her, waiting for him, in their court,
        their court, on their side, will get us, will send us, to send us, will come back, come back to us, come
        back with, will let us know, will let me know, get back to us, get back to me, she agreed to, he agreed to,
        they agreed to, agreed to introduce, offered to introduce, will introduce us, will check, will ask, will
        talk to, will take it, will take that, will take this, will bring, will review, will confirm, will decide,
        will push, will give us, give us, gets us, is pushing, she is going to, he is going to, they are going to,
        she's going to, he's going to, they're going to, to confirm, homework for them, owed by them""",
    "competitor": """
        also invited, also trialling, other bids, other bidder, pulled in, courted, wooed, poached, is calling,
        called them, called the, first year free, year free, free deal, also evaluating, also considering, got a
        demo, was shown, prefers, standardised on, standardized on, already pays for, runs on, competitor,
        competition, competing, compete, rival, other vendor, other vendors, another vendor, alternative,
        alternatives, incumbent, versus, vs, shortlist, shortlisted, evaluating, also looking, looking at,
        comparing, compared, compare, bake off, bake-off, also talking to, also speaking, talking to, up against,
        undercut, build it themselves, in-house, in house, homegrown, quote from, offer from, proposal from, demo
        from, demo with, pitch from, switch from, switching from, leaning toward, leaning towards, cheaper than,
        head to head, battlecard, pitched, approached by, bid, bidding, counteroffer, offered them, offers them,
        months free, free tier, had in, been in, has been in, also got, also had, also have, other provider, other
        supplier, other quote, second vendor, two others, three vendors, other tool, other product, existing vendor,
        current vendor, current provider, current supplier, they use, they already use, renew with, contract with,
        account with, came in at, came in lower, came in cheaper, displace, rip out, replace, trialling, courting,
        in the mix, in the running, finalist, finalists, runner up, market leader, lost to, another quote, another
        offer, price match, matched, were in last, were in this, were in on, has quoted, have quoted, below us, throw
        in, throws in, swears by, half our price""",
    "budget": """
        on ice, put on ice, on hold, purchases, no new tools, year end money, money left, leftover, underspend,
        overspend, procurement freeze, spending stop, half year numbers, quarter numbers, budget, budgeted, funding,
        funded, funds, freeze, frozen, fiscal year, fiscal, allocated, earmarked, set aside, no money, money, capex,
        opex, cost cutting, pencilled in, spend locked, cuts, spend, spending, line item, budget line, cost center, cost centre, cfo,
        controller, finance, approved spend, no spend, purse""",
    "next_step": """
        next step, next steps, follow up, follow-up, following up, scheduled, booked, reconvene, meet again, next
        call, next meeting, next week, by friday, by monday, by tuesday, by wednesday, by thursday, by end of, by
        eod, by eow, action item, todo, to do, reconnect, touch base, circle back, ring back, call back, call again,
        check in, agreed to meet, calendar invite, invite, plan is to, kickoff, tomorrow, will send, will confirm,
        will come back, will meet, need to send, wants a, asked for, asked us to, set up a, sit down""",
    "told": """
        told them, told her, told him, told, sent, emailed, mailed, shared, forwarded, showed, shown, demoed,
        demonstrated, demo, demo for, walked through, walked, explained, presented, pitched, answered, went through,
        gave them, gave her, gave him, provided, delivered, passed on, quoted, returned, ran through, ran them,
        talked them through, talked her through, talked him through, let them know, let her know, let him know,
        clarified, took them through, handed over, submitted, replied, covered, attached, uploaded, reached, out to, is
        with""",
    "pilot": """
        proof, prove it, wants proof, on one site, one site, one team, one region, one department, first phase, in
        one, for 30 days, for two weeks, for a month, six weeks, test it, tested, testing, success measure, pilot,
        trial, proof of concept, poc, proof of value, pov, test run, sandbox, beta, try it, try out, try us,
        trialling, test group, phase one, evaluation, test drive, first site, start with, start small, try""",
    "positive": """
        over the moon, delight, finally, useful, worth every, hooked, sold them, sold her, sold him, big fan,
        compliment, complimented, fantastic, excellent, brilliant, great, promising, encouraging, energised,
        energized, recommended us, vouched, loved, love, loves, excited, enthusiastic, impressed, great feedback,
        positive, happy, thrilled, keen, eager, pleased, delighted, good fit, strong interest, very interested,
        interested, resonated, fan of, glowing, upbeat, praised, enjoyed, appreciated, went well, favourite,
        favorite, on board, wowed, amazing, optimistic, bullish, advocate, liked, likes, nice about, raved, great
        call, good call, warm, game changer, exactly what, curious, better than expected, not expected, blown away,
        spot on, sold on, pushing internally, pushing for us, in our corner, verbal yes, smooth, winner""",
    "negative": """
        mixed, one more screen, dread, dreads, grumpy, grumbled, frosty, pulled out, backed out, went badly, blew
        up, outage, delayed again, missed, let down, frustrated, annoyed, angry, upset, unhappy, disappointed,
        lukewarm, irritated, complain, complaint, tense, impatient, furious, negative, terse, curt, not impressed,
        unimpressed, disengaged, distracted, bored, dissatisfied, fed up, sceptical, skeptical, hostile, cool, cool
        on, cold, cross, lost, went wrong, broke, failed, bad, poor, worse, mess, escalated, embarrassed, dropped""",
    "authority": """
        governors, trustees, partners, council, handed to, handed paperwork, buyer, budget owner, signature from,
        countersign, say so, nod, the nod, ok from, sign anything, beyond, decision maker, decision-maker, final
        say, final call, signs off, sign off, sign-off, signed off, signs, approve, approves, approval, approver,
        decides, decide, decision, has to go through, needs to go through, goes to, go through, board, committee,
        procurement, purchasing, economic buyer, reports to, champion, sponsor, veto, signatory, budget holder,
        steering committee, stakeholder, buy in, buy-in, green light, owns the, run it by, run it past, gatekeeper,
        needs the ok, blessing, signing authority, parent company, in the end it's, in the end it is, their ear, his ear, her ear, only negotiates, above, cfo, ceo, cio, cto, coo, managing
        director, head office, get past, pushing internally, internally, point person, in charge""",
    "silence": """
        nothing from, no word, no news, reminded, unread, went cold, gone cold, does not pick up, dodging, stopped
        answering, stopped replying, ignoring, ignored, no response, no reply, no answer, not responded, hasn't
        responded, hasn't replied, haven't heard, have not heard, not heard back, heard nothing, nothing back, went
        quiet, gone quiet, went dark, gone dark, silent, silence, ghosted, unresponsive, voicemail, did not pick up,
        didn't pick up, radio silence, left a message, no-show, no show, quiet, chased, chasing, unanswered, not
        replied, no reaction, still no, bounced, second attempt, third attempt, still nothing, out of office, on leave""",
    "change": """
        sabbatical, stand-in, stand in, stands in, deputy, covering for, cover for, had a baby, new to, in charge
        now, reporting to, renamed, split up, spun off, left the company, leaves, leaving, left, new role, promoted,
        replaced, replaces, replacement, successor, reorg, reorganisation, reorganization, layoff, layoffs, laid
        off, joined, joins, took over, takes over, taking over, parental leave, maternity, resigned, quit, retiring,
        retired, acquired, acquisition, merger, merging, restructure, hiring freeze, new cfo, new ceo, new cto, new
        cio, new vp, new head, new lead, new manager, new director, interim, stepping down, moved to, moves to,
        another job, handed over, hand over, back from leave, starts over, point person""",
    "date": """
        january, february, march, april, june, july, august, september, october, november, december, q1, q2, q3, q4,
        monday, tuesday, wednesday, thursday, friday, next week, next month, next quarter, next year, end of, by the
        end, deadline, year end, tomorrow, #ordinal, #date, mid, midsummer, weeks, week, months, month, quarter,
        until, before, after, fiscal year, summer, spring, autumn, winter, christmas, new year, easter, fortnight,
        moved by, in time for, starting, starts, days, h1, h2, due, expires, expire, ends""",
    "amount": """
        #amount, dollar, dollars, euros, percent, per seat, per user, per month, seats, users, licenses, licences,
        sites, trucks, locations, thousand, million, a third, half, a fifth, a quarter of, #number""",
}
"""Kind -> how a note shows it. `#ordinal`, `#date`, `#amount` and `#number` stand for words of digits. Broad on purpose: a cue
adds a little to a note's score, and one that most notes of an account show adds nothing."""

ASKED: Mapping[str, str] = {
    "objection": """
        objection, objections, object, push back, pushback, pushing back, concern, concerned, worry, worried,
        worries, worrying, hesitation, hesitate, hesitant, reservation, doubt, doubts, doubted, blocker, blocking,
        block, blocked, holding back, hold back, holding, hold up, holding up, problem, issue, complaint, complain,
        complained, risk, risks, unhappy, fear, fears, afraid, sticking point, sticking, resist, resistance,
        obstacle, dealbreaker, deal breaker, nervous, skeptical, sceptical, uneasy, challenge, challenges, why not,
        stop them, stopping, stall, stalled, in the way, dislike, didn't like, not like, bother, bothers, bothered,
        bothering, red flag, red flags, turn down, turned down, reject, rejected, reluctant, wary, anxious, gripe,
        gripes, kill the deal, put off, putting them off, uncomfortable, pressure, barrier, barriers, critic,
        criticism, critical, unsure, against, friction, pain, sore, downside, disagree, demand, demands, trouble,
        troubles""",
    "resolved": """
        resolved, resolve, settled, settle, addressed, address, solved, solve, closed, fixed, still open, still an
        issue, still a problem, overcome, overcame, cleared, sorted, satisfied, no longer, get over, got over,
        convinced, changed their mind, won over, handle, handled, deal with, dealt with, agreed, accepted, answered,
        work out, worked out, reassure, reassured, put to bed, laid to rest, satisfied now, happy now, ok now, come
        through, came through, still worried, still concerned, still against, gone away, go away, put right, cleared
        up, turn out, turned out, in the end, back on track""",
    "promise_us": """
        did we promise, we promise, we promised, we committed, we commit, we owe, our promise, our promises, our
        commitment, our commitments, did i promise, i promise, i promised, i owe, did we agree, we agreed, we said
        we, did i say i, our side, our plate, our action, our actions, from us, we supposed to, are we supposed, i
        supposed, we need to, we have to, i have to, i need to, we still need, still owe, we deliver, we offer, we
        offered, did i offer, expect us, waiting on us, waiting for us, on the hook, promises, promised, promise,
        commitment, commitments, commit, committed, action items, to do, deliverable, deliverables, our homework,
        follow through, our word, owe, owed, guarantee, guaranteed, pledge, pledged, assure, assured, assurance,
        assurances, obligation, obligations, we going to, concession, concessions, we concede, we give, we
        undertake, we say we, on us, we agree to, should we send, should i send, our end, say we'd, said we'd, we would, we'd deliver, did we deliver, did
        we hand, we get back, we come back, keep our word, were we to""",
    "promise_them": """
        they promise, they promised, she promise, he promise, she promised, he promised, they commit, they
        committed, she commit, he commit, they owe, owes us, owe us, their commitment, their commitments, their
        promise, their promises, their side, will they, they agree, they agreed, she agree, he agree, she agreed, he
        agreed, waiting on, waiting for, wait for, their action, their homework, they supposed, she supposed, he
        supposed, they going to, she going to, he going to, from them, they say they, she say she, he say he, their
        end, their court, did they offer, promises, promised, promise, commitments, commitment, committed, commit,
        send us, get us, give us, get back to us, come back to us, expect from them, on them, they need to, they
        have to, volunteer, volunteered, agree to do, promise to do, promised to do, fail to hand, failed to hand, fail to send,
        failed to send, did they deliver, did they send, did she send, did he send, did they get back, hand us""",
    "competitor": """
        competitor, competitors, competition, competing, competitive, compete, rival, rivals, other vendor, other
        vendors, another vendor, vendors, alternative, alternatives, who else, what else, looking at, evaluating,
        comparing, compare, compared, comparison, up against, against us, shortlist, shortlisted, incumbent, versus,
        vs, other options, other option, other tools, other tool, other suppliers, other supplier, other products,
        other product, switch from, in-house, bake off, rfp, bidder, bidders, bidding, lose to, losing to, lose this
        to, instead of us, besides us, elsewhere, other solutions, other solution, talking to, in the running, who
        are we fighting, shopping around, weighing, considering, current provider, current vendor, prefer, other
        companies, other company, other providers, the market, threat, another supplier, another provider, another
        product, another tool, beat us, ahead of us, cheaper offer, demonstrated a product, demonstrated a, also demonstrated""",
    "budget": """
        budget, budgets, funding, funds, funded, money, spend, spending, afford, financial, finances, finance,
        fiscal, freeze, frozen, cfo, pay for, cost cutting, cash, financially""",
    "next_step": """
        next step, next steps, what next, what's next, what is next, follow up, follow-up, followup, do next, happen
        next, happens next, should i do, should we do, upcoming, coming up, scheduled, action items, action item,
        actions, todo, to do, outstanding, pending, open items, next meeting, next call, meet next, talk next, speak
        next, move forward, way forward, going forward, left to do, remaining, still to do, booked, next touch,
        agreed to do, plan, planned, contact them again, follow ups""",
    "told": """
        already told, we told, we tell, told them, tell them, told her, told him, told, have we sent, we sent, did
        we send, we send, sent, already sent, shared, we share, already know, have we shown, we show, we showed,
        shown, showed, show them, demoed, demo, pitched, pitch, presented, present, explained, explain, already
        seen, they seen, she seen, he seen, materials, did i send, i send, i sent, did i tell, i tell, they
        received, received, receive, already answered, quoted, did we quote, we quote, walked, we answer, given
        them, gave them, give them, collateral, documents, content, we explain, we present, complete, completed,
        done, reading material, evidence, proof, brochure, handed out""",
    "pilot": """
        pilot, pilots, trial, trials, proof of concept, poc, proof of value, test, tested, testing, test run, try,
        evaluation, sandbox, beta, try out, trying""",
    "positive": """
        like, liked, likes, love, loved, loves, excited, excite, excites, enthusiastic, positive, positives,
        impressed, impress, happy, interested, interest, favourite, favorite, resonate, resonated, keen, enjoy,
        enjoyed, appreciate, appreciated, praise, praised, went well, go well, going well, feedback, strengths,
        land, landed, compliment, on board, enthusiasm, selling point, pleased, react, reacted, reaction, received,
        reception, think of, thought of, feel about, respond to, impression, mood, sentiment, going""",
    "negative": """
        unhappy, angry, upset, annoyed, annoy, frustrated, frustrating, frustration, negative, disappointed,
        dissatisfied, bad, mood, tone, feel, feeling, feelings, sentiment, irritated, attitude, complaint,
        complaints, tense, went badly, go wrong, went wrong, wrong, react, reacted, reaction, think of, fail,
        failed, lukewarm, cool, cold, impression""",
    "authority": """
        decision maker, decision makers, decision-maker, decide, decides, decision, decisions, who signs, sign off,
        signs off, sign-off, signoff, approve, approves, approved, approval, approvals, approver, authority, final
        say, final call, budget holder, stakeholder, stakeholders, buying committee, committee, board, procurement,
        purchasing, champion, sponsor, economic buyer, in charge, power, veto, influence, influencer, influences,
        convince, buy in, buy-in, blessing, who else needs, who owns, who runs, call the shots, calls the shots,
        signatory, green light, involved, say yes, said yes, gatekeeper, who has to, who needs to, last word, final word, has the say, our contact,
        point person, who controls, holds the""",
    "silence": """
        respond, responded, response, reply, replied, quiet, silent, silence, go dark, gone dark, went dark,
        ghosted, ghosting, hear back, heard back, heard from, hear from, unresponsive, last contact, reach,
        reachable, gone cold, no answer, answering""",
    "change": """
        change, changed, changes, new person, left, leave, leaving, reorg, replaced, replace, joined, promotion,
        promoted, took over, take over, restructure, acquired, merger, acquisition, layoffs, shake up, turnover, new
        contact, our contact, contact now, personnel, staff changes, successor, departure, new boss, new lead""",
    "date": """
        when, what date, which date, deadline, due, how soon, by when, until when, what day, which day, which month,
        what month, which quarter, what quarter, what time, how long, date, dates, timeline, start date, go live,
        go-live, launch date, which week, what week, timing, timeframe, schedule, how quickly, delay, delayed""",
    "amount": """
        how much, how many, what price, what amount, what number, quote, quoted, percent, discount, deal size,
        dollars, figure, what size, how big, what figure, cost, costs, limit, threshold""",
}
"""Kind -> how a question asks for it."""

_WORD = re.compile(r"[a-z0-9]+(?:['’\-./][a-z0-9]+)*|[$%&]")
_SUFFIXES = ("ations", "ation", "ings", "ing", "ies", "ied", "ers", "er", "ed", "es", "s", "ly", "e", "y")


def words(text: str) -> list[str]:
    """Lower-case words of a text in order; hyphenated words and contractions stay whole, `$` and `%` are words."""
    return _WORD.findall(text.lower().replace("’", "'"))


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """A light stem: one inflection off, never below four letters. Meant to be the same for phrase and text, not pretty."""
    word = word.removesuffix("'s")
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 4:
            return (
                _undoubled(word[: -len(suffix)])
                if suffix in ("ing", "ings", "ed", "er", "ers")
                else word[: -len(suffix)]
            )
    return word


def _undoubled(root: str) -> str:
    return root[:-1] if len(root) > 4 and root[-1] == root[-2] and root[-1] not in "sl" else root


def features(text: str) -> frozenset[Label]:
    """All that a note shows, as (group, name): topics, subjects and kinds in one reading."""
    found = _found([*_stems(text), *_digit_classes(text)], _NOTE_TABLE)
    return found | {label for label, pattern in _PATTERNS.items() if pattern.search(text)}


def concepts(text: str) -> frozenset[str]:
    """Topics a text speaks of: a subset of CONCEPTS' names."""
    return _named("topic", features(text))


def subjects(text: str) -> frozenset[str]:
    """Narrow subjects a text speaks of: a subset of SUBJECTS' names."""
    return _named("subject", features(text))


def kinds(text: str) -> frozenset[str]:
    """Kinds a note shows: a subset of CUES' names."""
    return _named("kind", features(text))


def asked(text: str) -> frozenset[str]:
    """Kinds a question asks for: a subset of ASKED's names. A promise is theirs only if the question says so."""
    found = _named("kind", _found(_stems(text), _ASKED_TABLE))
    if _WHAT_LIKE.search(text):
        found -= {"positive"}
    if {"promise_us", "promise_them"} <= found:
        return found - {"promise_them" if _BY_US.search(text) else "promise_us" if _BY_THEM.search(text) else ""}
    return found


_PATTERNS = {
    ("kind", "promise_them"): re.compile(
        r"\b(?!I\b|We\b|Our\b|This\b|That\b|It\b)[A-Z][a-z]+ (?:will|is going to|promised|agreed to|offered to|owes|"
        r"to (?:confirm|send|check|review|get|share|provide|introduce|decide|revert|come|ask|talk|sign|push))\b"
    ),
    ("kind", "promise_us"): re.compile(
        r"(?:^|[.;:!\n-]\s*)(?:Will|Need to|Needs? us to|Must|Owe|Have to|Promised|Committed|Offered|Agreed to|To do)\b"
    ),
}
"""Kinds that show by a name or by the start of a sentence, which stems do not keep."""

_WHAT_LIKE = re.compile(r"\b(?:what|how)(?:'s| is| are| was| were)\b.*\blike\b", re.I)
_BY_US = re.compile(
    r"\b(?:we|us|our|i|my)\b.{0,25}\b(?:promis|commit|owe|agree|offer|pledg|assur|guarant)|"
    r"\b(?:our|my) (?:\w+ )?(?:promis|commit)",
    re.I,
)
_BY_THEM = re.compile(
    r"\b(?:they|she|he|their|her|his|(?!Wh|Any|Did|Was|Were|Has|Have|The)[A-Z][a-z]+) (?:\w+ )?"
    r"(?:promis|commit|owe|agree|offer|pledg|assur|guarant)|\bow\w+ us\b"
)

_ORDINAL = re.compile(r"\b\d{1,2}(?:st|nd|rd|th)\b", re.I)
_DATE = re.compile(
    r"\b(?:\d{4}-\d\d-\d\d|\d{1,2}/\d{1,2}|\d{1,2} (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)|"
    r"(?:(?:in|by|until|from|since|of|mid) May|May \d))",
    re.I,
)
_AMOUNT = re.compile(
    r"[$€£]\s?\d|\b\d[\d,.]*\s?(?:k|m|%|percent|usd|eur|euros?|dollars?|seats?|users?|licen[sc]es?)\b|\d%", re.I
)
_MONEY = re.compile(
    r"[$€£]\s?\d|\b\d[\d,]*\.\d\d\b|\b\d[\d,.]*\s?(?:k|usd|eur|gbp|euros?|dollars?)\b|\b\d,\d{3}\b", re.I
)
_DIGITS = (
    ("#money", _MONEY),
    ("#ordinal", _ORDINAL),
    ("#date", _DATE),
    ("#amount", _AMOUNT),
    ("#number", re.compile(r"\d")),
)


def _digit_classes(text: str) -> list[str]:
    return [name for name, pattern in _DIGITS if pattern.search(text)] if _DIGITS[-1][1].search(text) else []


def _stems(text: str) -> list[str]:
    return [stem(word) for word in words(text)]


class _Table:
    """Phrases by their stems. `heads` keeps which lengths of phrase start with a stem: most words cost one lookup."""

    def __init__(self, *groups: tuple[str, Mapping[str, str]]) -> None:
        self.labels: dict[tuple[str, ...], set[Label]] = {}
        self.heads: dict[str, list[int]] = {}
        for group, blocks in groups:
            for name, block in blocks.items():
                for phrase in block.split(","):
                    self._add((group, name), (phrase.strip(),) if "#" in phrase else tuple(_stems(phrase)))

    def _add(self, label: Label, key: tuple[str, ...]) -> None:
        if key:
            self.labels.setdefault(key, set()).add(label)
            lengths = self.heads.setdefault(key[0], [])
            lengths += [len(key)] if len(key) not in lengths else []

    def look_up(self, stems: list[str]) -> Iterator[tuple[range, set[Label]]]:
        """Where phrases lie in the stems, and what they speak of."""
        for i, head in enumerate(stems):
            for length in self.heads.get(head, ()):
                labels = self.labels.get(tuple(stems[i : i + length]))
                if labels:
                    yield range(i, min(i + length, len(stems))), labels


_NOTE_TABLE = _Table(("topic", CONCEPTS), ("subject", SUBJECTS), ("kind", CUES))
_ASKED_TABLE = _Table(("kind", ASKED))
_COVERING_TABLE = _Table(("subject", SUBJECTS), ("kind", ASKED))


def understood(text: str) -> frozenset[str]:
    """The words of a question that its subjects or kinds account for; the others have to be found as they are."""
    spoken = words(text)
    covered = {i for span, _ in _COVERING_TABLE.look_up([stem(word) for word in spoken]) for i in span}
    return frozenset(spoken[i] for i in covered)


def _found(stems: list[str], table: _Table) -> frozenset[Label]:
    return frozenset(label for _, labels in table.look_up(stems) for label in labels)


def _named(group: str, labels: Iterable[Label]) -> frozenset[str]:
    return frozenset(name for found, name in labels if found == group)
